"""What proves a finding: found in a saved report, shown, filtered for Wireshark, carved out of the captures."""

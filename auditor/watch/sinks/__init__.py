"""Places beside standard output where news goes: a file with rotation, syslog, a webhook, metrics."""

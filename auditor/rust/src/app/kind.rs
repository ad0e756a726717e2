//! The protocols that are told from each other.

/// Protocol recognised from payload. The discriminant indexes [`APPS`].
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum App {
    /// Nothing recognised.
    #[default]
    Unknown,
    /// NDMP control; never returned by [`recognise`](super::recognise()), only set by the NDMP stream.
    Ndmp,
    /// TLS or SSL 3 records.
    Tls,
    /// HTTP/1 or the HTTP/2 preface.
    Http,
    /// SMTP greeting or command.
    Smtp,
    /// SSH identification line.
    Ssh,
    /// SMB 1, 2 or 3, with or without a `NetBIOS` session header.
    Smb,
    /// `NetBIOS` session service (request and answers, not SMB messages).
    NetbiosSession,
    /// DCE/RPC, connection-oriented.
    DceRpc,
    /// TDS, the protocol of Microsoft SQL Server.
    Tds,
    /// SQL Server browser (UDP 1434).
    SqlBrowser,
    /// SNMP.
    Snmp,
    /// Kerberos 5.
    Kerberos,
    /// Microsoft Tape Format, the content of a Backup Exec data connection.
    Mtf,
    /// DNS, multicast DNS or LLMNR.
    Dns,
    /// `NetBIOS` name service.
    NetbiosName,
    /// DHCP.
    Dhcp,
    /// Agent that announces itself to the Agent Browser, as one public capture shows it.
    AgentAnnouncement,
}

/// Names of [`App`], in order of the discriminants.
pub const APPS: &[&str] = &[
    "unknown",
    "ndmp",
    "tls",
    "http",
    "smtp",
    "ssh",
    "smb",
    "netbios-session",
    "dcerpc",
    "tds",
    "sql-browser",
    "snmp",
    "kerberos",
    "mtf",
    "dns",
    "netbios-name",
    "dhcp",
    "agent-announcement",
];

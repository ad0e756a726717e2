//! Fields of bodies as rows of the long field table.

use std::net::IpAddr;

use super::{
    bodies::env::{WITHHELD, is_secret},
    events::{Events, Row},
    value::{Body, Value},
};

/// Names of the fields that reach the columns, in alphabetical order; `Fields::name` indexes into it.
///
/// `address` has its port in `number`. `env_count` counts the variables of an environment; those worth knowing
/// follow as `env_…`, and `env_secret` names (never tells) a variable that holds a secret.
pub const FIELD_NAMES: &[&str] = &[
    "addr_type",
    "addr_types",
    "address",
    "agent_cert_len",
    "auth_id",
    "auth_known_digest",
    "auth_secret",
    "auth_type",
    "auth_types",
    "bu_type",
    "bu_types",
    "bytes_moved",
    "bytes_processed",
    "ca_cert_issuer",
    "ca_cert_len",
    "ca_cert_not_after",
    "ca_cert_not_before",
    "ca_cert_subject",
    "cert_id_1",
    "cert_id_2",
    "command",
    "count",
    "data_len",
    "device",
    "device_count",
    "directory",
    "entry",
    "env_be_job_id",
    "env_be_job_name",
    "env_count",
    "env_direct",
    "env_dmp_name",
    "env_filesystem",
    "env_hist",
    "env_job_instance_guid",
    "env_jobname",
    "env_level",
    "env_prefix",
    "env_secret",
    "env_type",
    "env_user",
    "env_username",
    "error",
    "ext_classes",
    "fh_count",
    "file_error",
    "file_name",
    "filesystems",
    "halt_reason",
    "handle",
    "host_id",
    "hostname",
    "length",
    "log_type",
    "media_server_addr",
    "media_server_fqdn",
    "media_server_name",
    "message_id",
    "mode",
    "name",
    "nlist_count",
    "offset",
    "opcode",
    "operation",
    "os_type",
    "os_vers",
    "pause_reason",
    "product_name",
    "protocol_version",
    "reason",
    "record_size",
    "recovery_status",
    "revision_number",
    "state",
    "text_reason",
    "vendor_name",
    "version",
];

/// Variables of job environments that an auditor reads, and the fields they become.
const VARIABLES: [(&str, &str); 13] = [
    ("BE_JOB_ID", "env_be_job_id"),
    ("BE_JOB_NAME", "env_be_job_name"),
    ("DIRECT", "env_direct"),
    ("DMP_NAME", "env_dmp_name"),
    ("FILESYSTEM", "env_filesystem"),
    ("HIST", "env_hist"),
    ("JOB_INSTANCE_GUID", "env_job_instance_guid"),
    ("JOBNAME", "env_jobname"),
    ("LEVEL", "env_level"),
    ("PREFIX", "env_prefix"),
    ("TYPE", "env_type"),
    ("USER", "env_user"),
    ("USERNAME", "env_username"),
];

/// Items kept of one list: what an honest peer sends is far below, and the sender chooses the length.
const MAX_ITEMS: usize = 64;

impl Events {
    /// Adds a message and the fields of its body.
    pub(super) fn add(&mut self, row: &Row, body: &Body) {
        if self.is_full() {
            return;
        }
        let Ok(index) = u32::try_from(self.messages.len()) else { return };
        self.messages.push(row);
        add(self, index, body);
    }
}

/// Adds the fields of a body as rows of message `message`.
fn add(events: &mut Events, message: u32, body: &Body) {
    let mut ip = None;
    for (name, value) in body {
        match (*name, value) {
            ("ip", Value::Ip(address)) => ip = Some(*address),
            ("port", Value::Int(port)) => {
                if let Some(ip) = ip.take() {
                    address(events, message, ip, *port);
                }
            }
            ("addresses", Value::List(items)) => {
                for item in items.iter().take(MAX_ITEMS) {
                    one_of_several(events, message, item);
                }
            }
            ("env", Value::List(pairs)) => environment(events, message, pairs),
            (name, Value::List(items)) => {
                for item in items.iter().take(MAX_ITEMS) {
                    scalar(events, message, name, item);
                }
            }
            (name, value) => scalar(events, message, name, value),
        }
    }
}

/// Index of a field that reaches the columns.
fn index(name: &str) -> Option<u16> {
    FIELD_NAMES.binary_search(&name).ok().and_then(|index| u16::try_from(index).ok())
}

fn scalar(events: &mut Events, message: u32, name: &str, value: &Value) {
    let Some(name) = index(name) else { return };
    match value {
        Value::Int(number) => events.fields.push(message, name, *number, -1, None),
        Value::Text(text) => {
            let text = events.intern(text);
            events.fields.push(message, name, 0, text, None);
        }
        Value::Ip(_) | Value::List(_) | Value::Map(_) => {}
    }
}

fn address(events: &mut Events, message: u32, ip: IpAddr, port: u64) {
    let Some(name) = index("address") else { return };
    let octets = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    events.fields.push(message, name, port, -1, Some(octets));
}

/// An item of version 4's list of addresses; its own environment is of no use here.
fn one_of_several(events: &mut Events, message: u32, item: &Value) {
    if let Value::Map(parts) = item
        && let [("ip", Value::Ip(ip)), ("port", Value::Int(port)), ..] = parts.as_slice()
    {
        address(events, message, *ip, *port);
    }
}

fn environment(events: &mut Events, message: u32, pairs: &[Value]) {
    scalar(events, message, "env_count", &pairs.len().into());
    let mut kept = 0;
    for pair in pairs {
        let Value::List(pair) = pair else { continue };
        let [Value::Text(name), value @ Value::Text(text)] = pair.as_slice() else { continue };
        let known = VARIABLES.iter().find(|(variable, _)| variable.eq_ignore_ascii_case(name));
        match known {
            Some((_, field)) => scalar(events, message, field, value),
            None if text == WITHHELD && is_secret(name) => scalar(events, message, "env_secret", &name.as_str().into()),
            None => continue,
        }
        kept += 1;
        if kept == MAX_ITEMS {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_cover_the_variables() {
        assert!(FIELD_NAMES.windows(2).all(|pair| pair[0] < pair[1]));
        for (variable, field) in VARIABLES {
            assert!(index(field).is_some() && !is_secret(variable), "{variable}");
        }
    }

    #[test]
    fn a_secret_is_named_and_not_told() {
        let pair = |name: &str, value: &str| Value::List(vec![name.into(), value.into()]);
        let env = Value::List(vec![pair("PASSWORD", WITHHELD), pair("FILESYSTEM", "/a"), pair("X", "y")]);
        let mut events = Events::default();
        add(&mut events, 0, &vec![("env", env)]);
        let names: Vec<_> = events.fields.name.iter().map(|&name| FIELD_NAMES[name as usize]).collect();
        assert_eq!(names, ["env_count", "env_secret", "env_filesystem"]);
        assert_eq!(events.fields.number[0], 3);
        assert_eq!(events.texts, ["PASSWORD", "/a"]);
    }
}

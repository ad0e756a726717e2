//! Environment pairs (`pval`), the job's parameters. Values of secrets never leave this file.

use crate::app::ndmp::{
    value::{Body, Value},
    xdr::{Read, Reader},
};

/// Stands for the value of a secret.
pub const WITHHELD: &str = "(withheld)";

/// Parts of a variable's name that make its value a secret.
const SECRETS: [&str; 6] = ["PASS", "PWD", "SECRET", "KEY", "TOKEN", "CRED"];

/// The name of a variable promises a secret value.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRETS.iter().any(|part| name.contains(part))
}

/// Reads one name and value.
pub fn pair(reader: &mut Reader<'_>) -> Read<Value> {
    let name = reader.string()?;
    let value = reader.bytes()?;
    let value = if is_secret(&name) { WITHHELD.into() } else { crate::app::ndmp::xdr::text(value) };
    Ok(Value::List(vec![name.into(), value.into()]))
}

/// Reads a counted list of pairs.
pub fn pairs(reader: &mut Reader<'_>) -> Read<Value> {
    Ok(Value::List(reader.array(8, pair)?))
}

/// Reads pairs into the field `env`; what was captured of a cut list is kept.
pub fn read(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let mut items = Vec::new();
    let count = reader.count(8)?;
    let result = (0..count).try_for_each(|_| {
        items.push(pair(reader)?);
        Ok(())
    });
    out.push(("env", Value::List(items)));
    result
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn secrets_are_known_by_name() {
        for name in ["PASSWORD", "backup_passwd", "DB_PWD", "ClientSecret", "ENCRYPTION_KEY", "token", "CREDENTIAL"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["FILESYSTEM", "USER", "USERNAME", "LEVEL", "HIST", "JOBNAME", "BE_JOB_NAME", "TYPE"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}

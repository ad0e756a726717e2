//! Private messages of Backup Exec, as far as public work shows them.

use super::{Layout, env, error, error_only};
use crate::app::ndmp::{
    value::{Body, Value},
    xdr::{Fault, Read, Reader},
};
use crate::app::tls::Certificate;

/// The layout of a request or post.
pub fn request_layout(code: u32) -> Option<Layout> {
    Some(match code {
        0xf270 => job_environment,
        0xf306 => file_close,
        0xf308 => file_open,
        0xf309 => file_write,
        0xf30f => execute_command,
        0xf33b => after_authentication,
        0xf383 => ssl_request,
        _ => return None,
    })
}

/// The layout of a reply.
pub fn reply_layout(code: u32) -> Option<Layout> {
    Some(match code {
        0xf306 | 0xf30f => error_only,
        0xf308 => file_open_reply,
        0xf309 => file_write_reply,
        0xf31b => version_reply,
        0xf383 => ssl_reply,
        _ => return None,
    })
}

/// Request 0xf270: the job's variables, two equal counts before them in the one sample known.
fn job_environment(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let count = reader.count(8)?;
    if reader.u32()? as usize != count {
        return Err(Fault::Malformed("the two counts of the job environment differ"));
    }
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(env::pair(reader)?);
    }
    out.push(("env", Value::List(items)));
    Ok(())
}

/// Request 0xf306: close a file on the agent.
fn file_close(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("handle", reader.u32()?.into()));
    Ok(())
}

/// Request 0xf308: open a file on the agent.
fn file_open(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("file_name", reader.text()?));
    out.push(("directory", reader.text()?));
    out.push(("mode", reader.u32()?.into()));
    Ok(())
}

/// Reply 0xf308.
fn file_open_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    out.push(("handle", reader.u32()?.into()));
    Ok(())
}

/// Request 0xf309: write to a file on the agent; the content is not kept.
fn file_write(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("handle", reader.u32()?.into()));
    out.push(("length", reader.u32()?.into()));
    reader.bytes().map(drop)
}

/// Reply 0xf309.
fn file_write_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    if error(reader, out)? {
        return Ok(());
    }
    out.push(("length", reader.u32()?.into()));
    out.push(("unknown1", reader.u32()?.into()));
    Ok(())
}

/// Request 0xf30f: run a command on the agent.
fn execute_command(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("command", reader.text()?));
    out.push(("unknown1", reader.u32()?.into()));
    Ok(())
}

/// Reply 0xf31b: words 4 to 7 are the agent's version.
fn version_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    for name in ["word0", "word1", "word2", "word3"] {
        out.push((name, reader.u32()?.into()));
    }
    let mut parts = [0; 4];
    for part in &mut parts {
        *part = reader.u32()?;
    }
    out.push(("version", parts.map(|part| part.to_string()).join(".").into()));
    out.push(("word8", reader.u32()?.into()));
    Ok(())
}

/// Request 0xf33b: one word, zero where it was seen.
fn after_authentication(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("word0", reader.u32()?.into()));
    Ok(())
}

/// Request 0xf383: trust and start of TLS. Names and certificate ids of the media server stand in clear.
fn ssl_request(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    let opcode = reader.u32()?;
    out.push(("opcode", opcode.into()));
    if let Some(name) = ["", "test_cert", "request_csr", "signed_cert", "start_ssl"].get(opcode as usize) {
        out.push(("opcode_name", (*name).into()));
    }
    for name in ["media_server_name", "media_server_fqdn", "media_server_addr"] {
        out.push((name, reader.text()?));
    }
    for name in ["cert_id_1", "cert_id_2", "unknown1", "unknown2", "ca_cert_len"] {
        out.push((name, reader.u32()?.into()));
    }
    let authority = reader.text()?;
    certificate(&authority, out);
    out.push(("ca_cert", authority));
    out.push(("agent_cert_len", reader.u32()?.into()));
    out.push(("agent_cert", reader.text()?));
    Ok(())
}

/// What the media server's own authority says of itself, where its certificate is delivered.
fn certificate(pem: &Value, out: &mut Body) {
    let Value::Text(pem) = pem else { return };
    if let Some(certificate) = Certificate::from_pem(pem) {
        let second = |second: i64| Value::from(u32::try_from(second).unwrap_or(u32::MAX));
        out.push(("ca_cert_subject", certificate.subject.as_str().into()));
        out.push(("ca_cert_issuer", certificate.issuer.as_str().into()));
        out.push(("ca_cert_not_before", second(certificate.not_before)));
        out.push(("ca_cert_not_after", second(certificate.not_after)));
    }
}

/// Reply 0xf383: the error is the third field.
fn ssl_reply(reader: &mut Reader<'_>, out: &mut Body) -> Read<()> {
    out.push(("data_len", reader.u32()?.into()));
    out.push(("data", reader.text()?));
    out.push(("error", reader.u32()?.into()));
    out.push(("unknown", reader.text()?));
    Ok(())
}

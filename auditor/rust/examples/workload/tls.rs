//! A TLS handshake as far as it is in clear: `ClientHello` with a server name, `ServerHello` (RFC 5246).

/// Returns a record of type handshake around a message.
fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u16;
    let mut record = vec![0x16, 3, 3];
    record.extend_from_slice(&(length + 4).to_be_bytes());
    record.extend_from_slice(&[kind, 0]);
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(body);
    record
}

/// Returns the hello of a client that asks for a server by name.
pub fn client_hello(random: u64, server: &str) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[random.to_be_bytes(); 4].concat());
    // No session, two suites (ECDHE-RSA with AES-GCM), no compression.
    body.extend_from_slice(&[0, 0, 4, 0xC0, 0x2F, 0xC0, 0x30, 1, 0]);
    let name = server.len() as u16;
    body.extend_from_slice(&(name + 9).to_be_bytes());
    body.extend_from_slice(&[0, 0]);
    for length in [name + 5, name + 3] {
        body.extend_from_slice(&length.to_be_bytes());
    }
    body.push(0);
    body.extend_from_slice(&name.to_be_bytes());
    body.extend_from_slice(server.as_bytes());
    handshake(1, &body)
}

/// Returns the hello of a server that chose the first suite.
pub fn server_hello(random: u64) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[random.to_be_bytes(); 4].concat());
    body.extend_from_slice(&[0, 0xC0, 0x2F, 0]);
    handshake(2, &body)
}

/// Returns the head of a record with so many bytes of application data.
pub fn application_data(length: usize) -> Vec<u8> {
    let [high, low] = (length as u16).to_be_bytes();
    vec![0x17, 3, 3, high, low]
}

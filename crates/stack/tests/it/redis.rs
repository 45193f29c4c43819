//! Redis.

use crate::folder;
use stack::{Redis, RedisSpec, free_port};
use std::io::{Read, Write};
use std::net::TcpStream;

fn ask(port: u16, commands: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(commands.as_bytes()).unwrap();
    stream.write_all(b"QUIT\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn redis_needs_its_password_and_keeps_its_data_over_a_restart() {
    let folder = folder();
    let mut redis = Redis::start(
        RedisSpec {
            folder: folder.path().join("redis data"),
            port: free_port().unwrap(),
            password: "secret".into(),
            log: folder.path().join("redis.log"),
        },
        None,
    )
    .unwrap();
    let port = redis.port();
    assert!(ask(port, "GET key\r\n").contains("NOAUTH"));
    assert!(ask(port, "AUTH secret\r\nSET key value\r\n").contains("+OK"));
    assert!(ask(port, "AUTH secret\r\nCONFIG GET maxmemory-policy\r\n").contains("noeviction"));
    redis.process.stop(std::time::Duration::from_secs(10));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    redis.start_again().unwrap();
    assert!(ask(port, "AUTH secret\r\nGET key\r\n").contains("value"));
}

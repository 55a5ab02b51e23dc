use ligase::net::proxy_protocol::{Malformed, Reading, Version};

/// What a load balancer says: the same however it is divided, nothing is taken beyond it, and
/// nothing is remembered beyond its greatest length.
pub(super) fn proxy_protocol(input: &[u8]) {
    let whole = read(input, usize::MAX);
    let size = usize::from(input.first().copied().unwrap_or_default() % 7) + 1;
    assert_eq!(whole, read(input, size));
    assert_eq!(whole, read(input, 1));
    if let Ok((taken, Some(header))) = whole {
        assert!(taken <= 16 + 4096);
        match header.version {
            Version::One => assert!(input[..taken].ends_with(b"\r\n") && taken <= 107),
            Version::Two => assert!(input.starts_with(b"\r\n\r\n\0\r\nQUIT\n")),
        }
    }
}

type Read = Result<(usize, Option<ligase::net::proxy_protocol::Header>), Malformed>;

fn read(input: &[u8], size: usize) -> Read {
    let mut reading = Reading::default();
    let mut taken = 0;
    for chunk in input.chunks(size.min(input.len().max(1))) {
        let (more, header) = reading.take(chunk)?;
        assert!(more <= chunk.len());
        taken += more;
        if header.is_some() || more < chunk.len() {
            return Ok((taken, header));
        }
    }
    Ok((taken, None))
}

/// The DNS responder's messages, as they are built into the program.
#[expect(dead_code, reason = "some of it is for the responder alone")]
#[path = "../../../src/capture/dns/message.rs"]
mod message;

/// A query of any kind: what is answered is an answer to it, of a length that it can take.
pub(super) fn dns_message(input: &[u8]) {
    use message::{Outcome, Query, Rcode, Unread};
    let query = match Query::read(input) {
        Ok(query) => query,
        Err(Unread::Silent) => return,
        Err(Unread::Refuse(answer)) => {
            assert_eq!(answer.len(), 12);
            assert_eq!(answer[..2], input[..2]);
            assert_eq!(answer[2] & 0x80, 0x80);
            return;
        }
    };
    assert_eq!(query.message(), input);
    let labels = query.labels();
    assert!(labels.iter().all(|label| (1..=63).contains(&label.len())));
    assert!(labels.iter().map(|label| label.len() + 1).sum::<usize>() < 255);
    assert!(512 <= query.payload_max());
    let _ = (query.kind(), query.class());
    for address in ["192.0.2.1", "2001:db8::1"] {
        let address = address.parse().unwrap();
        let service = Outcome::Service { address, port: 5269 };
        let failures = [Rcode::NotImplemented, Rcode::ServerFailure].map(Outcome::Fail);
        for outcome in [service, Outcome::NoData].into_iter().chain(failures) {
            let answer = query.answer(&outcome);
            assert!(query.is_answered_by(&answer, [input[0], input[1]]), "{outcome:?}");
            assert!(!message::is_truncated(&answer));
            // It is none of ours to read, but it must be a message whose question is the same.
            let mut turned = answer.clone();
            turned[2] &= 0x7f;
            let again = Query::read(&turned);
            assert!(again.is_ok_and(|again| again.labels() == labels));
            let fitted = query.fit(answer.clone());
            assert!(fitted.len() <= answer.len());
            assert!(fitted == answer || message::is_truncated(&fitted));
        }
    }
    // Whatever somebody upstream says.
    let _ = query.is_answered_by(input, [input[0], input[1]]);
    let fitted = query.fit(input.to_vec());
    assert!(fitted.len() <= input.len().max(512 + 11));
    let _ = message::rcode(input);
}

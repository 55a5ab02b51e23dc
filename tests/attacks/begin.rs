//! Begin: how far an attacker has come before it attacks.

use std::time::Instant;

use ligase_tests::Stream;

use crate::bytes::{claim, header, plain};
use crate::case::{Case, arguments, divide};
use crate::deeds::{Door, Run, Told};
use crate::forge::known;
use crate::negotiate::{AUTH, authorize, features, next, offered, secure};
use crate::words::Word;

pub(crate) const WORDS: [Word; 6] = [
    ("begin", begin),
    ("also", begin),
    ("on", on),
    ("tls", tls),
    ("usable", usable),
    ("within", within),
];

/// How a stream begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// From outside: a connection, nothing said.
    Tcp,
    /// A header said, features heard, in the clear.
    Plain,
    /// TLS from the first byte, nothing said.
    Direct,
    /// TLS that must fail: `TO` is the protocol that is offered (ALPN).
    TlsFails,
    /// TLS, a header and features after it, by either door.
    Secured,
    /// The same, and the pair is granted.
    Authorized,
    /// The same as secured, and EXTERNAL has succeeded.
    External,
    /// From beside our own server: a connection, nothing said.
    Loopback,
    /// TLS and a header, by a program that has no certificate of our server's.
    Intruder,
    /// The same with our server's certificate.
    Backend,
    /// The same, and the pair is granted.
    BackendAuthorized,
    /// Our server wants to speak to the attacker, and the proxy has opened a stream to it.
    Dialed,
    /// The same, TLS is set up, and the proxy has claimed its pair and waits for an answer.
    Claimed,
    /// The same, and the attacker has let it in by dialback.
    Called,
    /// The same, and both have agreed to speak in both directions (XEP-0288).
    CalledBoth,
}

impl Kind {
    const ALL: [(&str, Self); 15] = [
        ("tcp", Self::Tcp),
        ("plain", Self::Plain),
        ("direct", Self::Direct),
        ("tls-fails", Self::TlsFails),
        ("secured", Self::Secured),
        ("authorized", Self::Authorized),
        ("external", Self::External),
        ("loopback", Self::Loopback),
        ("intruder", Self::Intruder),
        ("backend", Self::Backend),
        ("backend-authorized", Self::BackendAuthorized),
        ("dialed", Self::Dialed),
        ("claimed", Self::Claimed),
        ("called", Self::Called),
        ("called-bidi", Self::CalledBoth),
    ];

    pub(crate) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, kind)| kind)
    }

    /// Whether somebody speaks who is, or is taken for, our own server.
    pub(crate) fn is_scripted(self) -> bool {
        match self {
            Self::Tcp
            | Self::Plain
            | Self::Direct
            | Self::TlsFails
            | Self::Secured
            | Self::Authorized
            | Self::External => false,
            Self::Loopback
            | Self::Intruder
            | Self::Backend
            | Self::BackendAuthorized
            | Self::Dialed
            | Self::Claimed
            | Self::Called
            | Self::CalledBoth => true,
        }
    }

    /// Whether the proxy calls the attacker.
    pub(crate) fn is_called(self) -> bool {
        matches!(self, Self::Dialed | Self::Claimed | Self::Called | Self::CalledBoth)
    }

    /// Whether it can begin at either door.
    fn has_doors(self) -> bool {
        matches!(self, Self::Secured | Self::Authorized | Self::External)
    }
}

/// Who begins a stream, and with whom.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    pub(crate) kind: Kind,
    pub(crate) from: String,
    pub(crate) to: String,
    /// What is shown, if it is not what `from` is known by.
    certificate: Option<String>,
    /// The one of the attacker's addresses that it comes from, if that matters.
    pub(crate) address: Option<String>,
}

impl Beginning {
    /// Reads `HOW [FROM TO [CERT]]`, and notes what that means for the case.
    pub(crate) fn read(case: &mut Case, rest: &str) -> Result<Self, String> {
        let parts = divide(rest, " ");
        let mut parts = parts.into_iter();
        let how = parts.next().unwrap_or_default();
        let kind = Kind::read(&how).ok_or("no such beginning")?;
        case.terms.has_doors |= kind.has_doors();
        case.terms.is_scripted |= kind.is_scripted();
        if kind.is_called() {
            case.terms.calls.insert("padua:5269".to_owned());
        }
        let (from, to) = (parts.next(), parts.next());
        if to.is_none() && !matches!(kind, Kind::Tcp | Kind::Loopback) {
            return Err("from whom, to whom?".to_owned());
        }
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        let certificate = parts.next();
        certificate.as_deref().map_or(Ok(()), known)?;
        Ok(Self { kind, from, to, certificate, address: None })
    }

    /// The same, as one run has it.
    fn fill(&self, run: &Run<'_>) -> Self {
        // A name may be written with escapes, too.
        let read = |it: &String| {
            let filled = run.fill(it);
            plain(&filled).unwrap_or(filled)
        };
        Self {
            kind: self.kind,
            from: read(&self.from),
            to: read(&self.to),
            certificate: self.certificate.as_ref().map(read),
            address: self.address.clone(),
        }
    }

    /// Begins it, as soon as the case has patience.
    #[expect(clippy::disallowed_methods, reason = "how soon is about time")]
    pub(crate) fn take_place(&self, run: &mut Run<'_>) -> Told {
        let filled = self.fill(run);
        if filled.kind.is_called() {
            return run.be_called(filled.kind, &filled.from, &filled.to);
        }
        let start = Instant::now();
        let stream = filled.dial(run)?;
        run.begin(stream);
        filled.negotiate(run)?;
        let took = start.elapsed();
        if took <= run.patience { Ok(()) } else { Err(format!("it takes {took:?} to begin")) }
    }

    fn dial(&self, run: &Run<'_>) -> Result<Stream, String> {
        let lab = run.lab;
        if self.kind.is_scripted() {
            return lab.intruder.try_dial(lab.backend_door());
        }
        let is_direct = matches!(self.kind, Kind::Direct | Kind::TlsFails)
            || self.kind.has_doors() && run.door == Door::Direct;
        let door = if is_direct { Door::Direct } else { Door::StartTls };
        lab.attacker.try_dial_from(self.address.as_deref(), &lab.door(door))
    }

    fn negotiate(&self, run: &mut Run<'_>) -> Told {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        let lab = run.lab;
        let certificate = if matches!(self.kind, Kind::Backend | Kind::BackendAuthorized) {
            Some(lab.own.clone())
        } else {
            run.certificate(self.certificate.as_deref().unwrap_or(from))?
        };
        let certificate = certificate.as_ref();
        let stream = run.stream()?.clone();
        let direct = |name: &str, protocol: &str| {
            stream.start_tls_for(name, Some(protocol), certificate).map(drop)
        };
        let secured = |run: &mut Run<'_>| {
            let opened = if run.door == Door::StartTls || self.kind.is_scripted() {
                secure(&stream, from, to, certificate)?
            } else {
                direct(to, "xmpp-server")?;
                stream.send(&header(from, to));
                features(&stream)?
            };
            run.ids.push(opened.id);
            run.last = opened.features;
            Ok::<_, String>(())
        };
        match self.kind {
            Kind::Tcp
            | Kind::Loopback
            | Kind::Dialed
            | Kind::Claimed
            | Kind::Called
            | Kind::CalledBoth => Ok(()),
            Kind::Plain => {
                stream.send(&header(from, to));
                features(&stream).map(drop)
            }
            Kind::Direct => direct(to, "xmpp-server"),
            Kind::TlsFails => match direct(from, to) {
                Ok(()) => Err(format!("TLS for {to} is set up")),
                Err(_) => Ok(()),
            },
            Kind::Secured | Kind::Intruder | Kind::Backend => secured(run),
            Kind::Authorized | Kind::BackendAuthorized => {
                secured(run)?;
                run.grant(from, to);
                authorize(&stream, from, to)
            }
            Kind::External => {
                secured(run)?;
                offered(&run.last, ">EXTERNAL<")?;
                run.grant(from, to);
                stream.send(AUTH);
                offered(&next(&stream, run.patience)?, "<success")
            }
        }
    }
}

impl Run<'_> {
    /// Notes that whoever speaks has a right to this pair.
    pub(crate) fn grant(&mut self, from: &str, to: &str) {
        self.granted.insert((from.to_owned(), to.to_owned()));
    }
}

/// `begin HOW FROM TO [CERT]`: a stream, on which the rest goes on. `also` begins another.
fn begin(case: &mut Case, rest: &str) -> Result<(), String> {
    let beginning = Beginning::read(case, rest)?;
    case.then(Box::new(move |run| beginning.take_place(run)));
    Ok(())
}

/// `on N`: what follows is about the stream that was begun as the Nth; of two that belong together,
/// our own server's counts first.
fn on(case: &mut Case, rest: &str) -> Result<(), String> {
    let number: usize = rest.parse().map_err(|_| "on which?")?;
    case.then(Box::new(move |run| run.turn_to(number)));
    Ok(())
}

/// `tls NAME CERT`: a TLS handshake, asking for that name.
fn tls(case: &mut Case, rest: &str) -> Result<(), String> {
    let [name, shown] = arguments(rest)?;
    known(&shown)?;
    case.then(Box::new(move |run| {
        let certificate = run.certificate(&run.fill(&shown))?;
        run.stream()?.start_tls(&name, certificate.as_ref()).map(drop)
    }));
    Ok(())
}

/// `usable FROM TO`: nothing was said since, and a claim is still granted.
fn usable(case: &mut Case, rest: &str) -> Result<(), String> {
    let [from, to] = arguments(rest)?;
    case.then(Box::new(move |run| {
        let (from, to) = (run.fill(&from), run.fill(&to));
        run.grant(&from, &to);
        let stream = run.stream()?;
        stream.send(&claim(&from, &to));
        let answer = next(stream, run.patience)?;
        offered(&answer, "<db:result")?;
        offered(&answer, "type='valid'")
    }));
    Ok(())
}

/// `within SECONDS`: what should come from here on comes as soon as that.
fn within(case: &mut Case, rest: &str) -> Result<(), String> {
    let seconds: f64 = rest.parse().map_err(|_| "how many seconds?")?;
    let patience = std::time::Duration::try_from_secs_f64(seconds);
    let patience = patience.map_err(|error| error.to_string())?;
    case.then(Box::new(move |run| {
        run.patience = patience;
        Ok(())
    }));
    Ok(())
}

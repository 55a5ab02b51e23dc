//! expat, as the servers behind ligase set it up.

use std::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::ptr;

use crate::meaning::{Meaning, Name};

/// How a server sets expat up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Setup {
    /// Whatever encoding, `\x01` between namespace and name.
    Prosody,
    /// UTF-8, a line feed between namespace, name and prefix.
    Ejabberd,
}

/// A parser of one stream after the other.
pub struct Expat {
    setup: Setup,
    parser: *mut c_void,
    log: Box<Log>,
}

struct Log {
    meaning: Meaning,
    depth: usize,
    /// Elements of the first level that are complete.
    elements: usize,
    separator: u8,
    refused: bool,
}

impl Expat {
    pub fn new(setup: Setup) -> Self {
        let separator = match setup {
            Setup::Prosody => b'\x01',
            Setup::Ejabberd => b'\n',
        };
        let (depth, elements, refused) = (0, 0, false);
        let log =
            Box::new(Log { meaning: Meaning::default(), depth, elements, separator, refused });
        // SAFETY: made of an encoding that is a static string or none, and freed in `drop`.
        let parser = unsafe { XML_ParserCreateNS(encoding(setup), separator as c_char) };
        assert!(!parser.is_null());
        let mut this = Self { setup, parser, log };
        this.listen();
        this
    }

    /// Begins another stream.
    pub fn reset(&mut self) {
        // SAFETY: the parser lives as long as `self`; no handler is running.
        let done = unsafe { XML_ParserReset(self.parser, encoding(self.setup)) };
        assert_ne!(done, 0);
        self.log.meaning.clear();
        (self.log.depth, self.log.elements, self.log.refused) = (0, 0, false);
        self.listen();
    }

    fn listen(&mut self) {
        // SAFETY: the handlers are called from `XML_Parse` alone, while `log`, which stays where
        // it is in its box, is alive and borrowed by nobody else.
        unsafe {
            // Without one, each stream would ask the system for another.
            XML_SetHashSalt(self.parser, 1);
            XML_SetUserData(self.parser, ptr::from_mut(&mut *self.log).cast());
            XML_SetElementHandler(self.parser, start, end);
            XML_SetCharacterDataHandler(self.parser, text);
            XML_SetCommentHandler(self.parser, comment);
            XML_SetProcessingInstructionHandler(self.parser, instruction);
            XML_SetStartDoctypeDeclHandler(self.parser, doctype);
            if self.setup == Setup::Ejabberd {
                XML_SetReturnNSTriplet(self.parser, 1);
            }
        }
    }

    /// Reads on; what expat has against it otherwise.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), String> {
        let length = c_int::try_from(bytes.len()).expect("inputs are short");
        // SAFETY: the pointer and the length are of one slice; the parser lives as long as `self`.
        let fine = unsafe { XML_Parse(self.parser, bytes.as_ptr().cast(), length, 0) } != 0;
        if self.log.refused {
            return Err("restricted XML".to_owned());
        }
        if !fine {
            // SAFETY: expat's messages are static strings.
            let message = unsafe { CStr::from_ptr(XML_ErrorString(XML_GetErrorCode(self.parser))) };
            return Err(message.to_string_lossy().into_owned());
        }
        Ok(())
    }

    pub fn setup(&self) -> Setup {
        self.setup
    }

    /// What was told since the stream began.
    pub fn meaning(&self) -> &[u8] {
        self.log.meaning.bytes()
    }

    /// How many elements of the first level are complete.
    pub fn elements(&self) -> usize {
        self.log.elements
    }

    /// How many elements are open.
    pub fn depth(&self) -> usize {
        self.log.depth
    }
}

impl Drop for Expat {
    fn drop(&mut self) {
        // SAFETY: made by `XML_ParserCreateNS` and freed once.
        unsafe { XML_ParserFree(self.parser) }
    }
}

// SAFETY: all that a parser holds is its own, and whoever has it has it alone.
unsafe impl Send for Expat {}

fn encoding(setup: Setup) -> *const c_char {
    match setup {
        Setup::Prosody => ptr::null(),
        Setup::Ejabberd => c"UTF-8".as_ptr(),
    }
}

/// Divides what expat joined.
fn split(name: &[u8], separator: u8) -> Name<'_> {
    let mut parts = name.split(|&byte| byte == separator);
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        Some(local) => (first, local),
        None => (b"", first),
    }
}

fn log<'a>(user: *mut c_void) -> &'a mut Log {
    // SAFETY: set in `Expat::listen`, see there.
    unsafe { &mut *user.cast::<Log>() }
}

fn bytes<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: expat hands its handlers strings that end with a zero, and keeps them until they
    // have returned, which is as long as they are looked at.
    unsafe { CStr::from_ptr(text) }.to_bytes()
}

extern "C" fn start(user: *mut c_void, name: *const c_char, mut list: *mut *const c_char) {
    let log = log(user);
    log.depth += 1;
    let mut attributes = Vec::with_capacity(8);
    // SAFETY: names and values in turn, until a null pointer.
    unsafe {
        while !(*list).is_null() {
            let name = split(bytes(*list), log.separator);
            attributes.push((name, bytes(*list.add(1))));
            list = list.add(2);
        }
    }
    let name = split(bytes(name), log.separator);
    log.meaning.start(name, &mut attributes);
}

extern "C" fn end(user: *mut c_void, _name: *const c_char) {
    let log = log(user);
    log.depth -= 1;
    log.elements += usize::from(log.depth == 1);
    log.meaning.end();
}

extern "C" fn text(user: *mut c_void, text: *const c_char, length: c_int) {
    let log = log(user);
    let length = usize::try_from(length).unwrap_or(0);
    // SAFETY: a pointer and a length from expat.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    if log.depth < 2 {
        log.refused |= !text.iter().all(u8::is_ascii_whitespace);
    } else {
        log.meaning.text(text);
    }
}

extern "C" fn comment(user: *mut c_void, _text: *const c_char) {
    log(user).refused = true;
}

extern "C" fn instruction(user: *mut c_void, _target: *const c_char, _data: *const c_char) {
    log(user).refused = true;
}

extern "C" fn doctype(
    user: *mut c_void,
    _name: *const c_char,
    _system: *const c_char,
    _public: *const c_char,
    _internal: c_int,
) {
    log(user).refused = true;
}

type TextHandler = extern "C" fn(*mut c_void, *const c_char);

#[link(name = "expat")]
unsafe extern "C" {
    fn XML_ParserCreateNS(encoding: *const c_char, separator: c_char) -> *mut c_void;
    fn XML_ParserReset(parser: *mut c_void, encoding: *const c_char) -> u8;
    fn XML_ParserFree(parser: *mut c_void);
    fn XML_SetUserData(parser: *mut c_void, user: *mut c_void);
    fn XML_SetElementHandler(
        parser: *mut c_void,
        start: extern "C" fn(*mut c_void, *const c_char, *mut *const c_char),
        end: TextHandler,
    );
    fn XML_SetCharacterDataHandler(
        parser: *mut c_void,
        handler: extern "C" fn(*mut c_void, *const c_char, c_int),
    );
    fn XML_SetCommentHandler(parser: *mut c_void, handler: TextHandler);
    fn XML_SetProcessingInstructionHandler(
        parser: *mut c_void,
        handler: extern "C" fn(*mut c_void, *const c_char, *const c_char),
    );
    fn XML_SetStartDoctypeDeclHandler(
        parser: *mut c_void,
        handler: extern "C" fn(*mut c_void, *const c_char, *const c_char, *const c_char, c_int),
    );
    fn XML_SetHashSalt(parser: *mut c_void, salt: c_ulong) -> c_int;
    fn XML_SetReturnNSTriplet(parser: *mut c_void, triplet: c_int);
    fn XML_Parse(parser: *mut c_void, bytes: *const c_char, length: c_int, last: c_int) -> c_int;
    fn XML_GetErrorCode(parser: *mut c_void) -> c_int;
    fn XML_ErrorString(code: c_int) -> *const c_char;
}

//! expat, as the servers behind ligase set it up.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

/// A namespace and a name.
pub type Name = (String, String);

/// What expat tells about a stream, text merged, attributes sorted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    Start(Name, BTreeMap<Name, String>),
    End,
    Text(String),
}

/// How a server sets expat up.
#[derive(Clone, Copy, Debug)]
pub enum Setup {
    /// Whatever encoding, `\x01` between namespace and name.
    Prosody,
    /// UTF-8, a line feed between namespace, name and prefix.
    Ejabberd,
}

pub struct Expat {
    parser: *mut c_void,
    log: Box<Log>,
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    depth: usize,
    /// Elements of the first level that are complete.
    elements: usize,
    separator: char,
    refused: bool,
}

impl Expat {
    pub fn new(setup: Setup) -> Self {
        let separator = match setup {
            Setup::Prosody => '\x01',
            Setup::Ejabberd => '\n',
        };
        let mut log = Box::new(Log {
            separator,
            ..Log::default()
        });
        let encoding = match setup {
            Setup::Prosody => ptr::null(),
            Setup::Ejabberd => c"UTF-8".as_ptr(),
        };
        // SAFETY: the handlers are called from `XML_Parse` alone, while `log`, which stays where
        // it is in its box, is alive and borrowed by nobody else.
        let parser = unsafe {
            let parser = XML_ParserCreateNS(encoding, separator as c_char);
            assert!(!parser.is_null());
            XML_SetUserData(parser, ptr::from_mut(&mut *log).cast());
            XML_SetElementHandler(parser, start, end);
            XML_SetCharacterDataHandler(parser, text);
            XML_SetCommentHandler(parser, comment);
            XML_SetProcessingInstructionHandler(parser, instruction);
            XML_SetStartDoctypeDeclHandler(parser, doctype);
            if matches!(setup, Setup::Ejabberd) {
                XML_SetReturnNSTriplet(parser, 1);
            }
            parser
        };
        Self { parser, log }
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

    pub fn events(&self) -> &[Event] {
        &self.log.events
    }

    pub fn elements(&self) -> usize {
        self.log.elements
    }

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

impl Log {
    fn name(&self, name: *const c_char) -> Name {
        // SAFETY: expat hands its handlers strings that end with a zero.
        let name = unsafe { CStr::from_ptr(name) }
            .to_str()
            .expect("expat writes UTF-8");
        let mut parts = name.split(self.separator);
        let first = parts.next().unwrap_or_default().to_owned();
        match parts.next() {
            Some(local) => (first, local.to_owned()),
            None => (String::new(), first),
        }
    }
}

fn log<'a>(user: *mut c_void) -> &'a mut Log {
    // SAFETY: set in `Expat::new`, see there.
    unsafe { &mut *user.cast::<Log>() }
}

extern "C" fn start(user: *mut c_void, name: *const c_char, mut list: *mut *const c_char) {
    let log = log(user);
    log.depth += 1;
    let name = log.name(name);
    let mut attributes = BTreeMap::new();
    // SAFETY: names and values in turn, until a null pointer.
    unsafe {
        while !(*list).is_null() {
            let value = CStr::from_ptr(*list.add(1))
                .to_str()
                .expect("expat writes UTF-8");
            attributes.insert(log.name(*list), value.to_owned());
            list = list.add(2);
        }
    }
    log.events.push(Event::Start(name, attributes));
}

extern "C" fn end(user: *mut c_void, _name: *const c_char) {
    let log = log(user);
    log.depth -= 1;
    log.elements += usize::from(log.depth == 1);
    log.events.push(Event::End);
}

extern "C" fn text(user: *mut c_void, text: *const c_char, length: c_int) {
    let log = log(user);
    let length = usize::try_from(length).expect("lengths are positive");
    // SAFETY: a pointer and a length from expat.
    let text = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), length) };
    let text = std::str::from_utf8(text).expect("expat writes UTF-8");
    if log.depth < 2 {
        log.refused |= !text.bytes().all(|byte| byte.is_ascii_whitespace());
    } else if let Some(Event::Text(last)) = log.events.last_mut() {
        last.push_str(text);
    } else {
        log.events.push(Event::Text(text.to_owned()));
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
    fn XML_SetReturnNSTriplet(parser: *mut c_void, triplet: c_int);
    fn XML_Parse(parser: *mut c_void, bytes: *const c_char, length: c_int, last: c_int) -> c_int;
    fn XML_GetErrorCode(parser: *mut c_void) -> c_int;
    fn XML_ErrorString(code: c_int) -> *const c_char;
}

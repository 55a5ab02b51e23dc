//! Elements opened and closed: the part of the framer that counts depth and matches names.

use std::sync::Arc;

use super::reject::{excessive, not_well_formed};
use super::span::Span;
use super::{First, Framer, Inherited, State, Step, opening, tag};
use crate::stream::{Condition, StreamError, Violation};

impl Framer {
    /// Reads a start tag within the stream.
    pub(super) fn start_tag(
        &mut self,
        piece: &[u8],
        tag: Span,
    ) -> Result<Option<Step>, StreamError> {
        let depth = self.open.len() + 1;
        if self.limits.depth < depth {
            let because = "elements nested deeper than we take";
            return Err(excessive(Violation::XmlDepth, because));
        }
        let most = self.limits.attributes;
        let start = tag::start(piece, tag, &mut self.attributes, most)?;
        let element = (&start, self.attributes.as_slice());
        let namespace = self.scope.enter(piece, element, depth, &self.stream)?;
        if depth == 1 {
            self.first = Some(First { head: tag.end, name: start.name, namespace });
        }
        if start.is_empty {
            Ok(self.leave(depth, tag.end))
        } else {
            self.open.push(start.name.span);
            Ok(None)
        }
    }

    /// Reads an end tag within the stream, or the stream's own.
    pub(super) fn end_tag(&mut self, piece: &[u8], tag: Span) -> Result<Option<Step>, StreamError> {
        let depth = self.open.len();
        let name = match self.open.pop() {
            Some(name) => name.of(piece),
            None => &self.root,
        };
        if !tag::ends(piece, tag, name) {
            return Err(not_well_formed("an end tag that matches no start tag"));
        }
        if depth == 0 {
            self.state = State::Ended;
            return Ok(Some(Step::Close(tag.end)));
        }
        Ok(self.leave(depth, tag.end))
    }

    /// Leaves an element of this depth, which may have been the first.
    fn leave(&mut self, depth: usize, end: usize) -> Option<Step> {
        self.scope.leave(depth);
        if depth == 1 {
            return self.first.take().map(|first| Step::Element(end, first));
        }
        None
    }

    /// Reads the header.
    pub(super) fn header(&mut self, piece: &[u8], tag: Span) -> Result<Step, StreamError> {
        let most = self.limits.attributes;
        let start = tag::start(piece, tag, &mut self.attributes, most)?;
        let nothing = Inherited::default();
        let element = (&start, self.attributes.as_slice());
        let namespace = self.scope.enter(piece, element, 0, &nothing)?;
        if start.is_empty {
            let because = "a stream that ends where it begins";
            return Err(Condition::BadFormat.because(because).blame(Violation::StreamElement));
        }
        opening::check(start.name.local(piece), namespace.of(piece, &nothing))?;
        let element = opening::read(piece, &start, &self.attributes, &mut self.scope)?;
        self.stream = Arc::new(opening::inherited(piece, &element, &self.scope)?);
        self.root = start.name.span.of(piece).to_vec();
        self.state = State::ExpectElement;
        Ok(Step::Header(tag.end, element))
    }
}

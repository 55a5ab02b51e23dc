use super::Verifier;
use crate::gather::{Data, places};
use crate::{Domain, Service};

impl Verifier {
    /// Forgets what was looked up of a domain and of the hosts that serve it, so that the next who
    /// asks sees what is published by then. Tells how many answers that were.
    ///
    /// Those whom we ask may remember them still, for as long as each record lives.
    pub fn forget(&self, domain: &Domain) -> usize {
        let mut owners = vec![domain.ascii().to_owned()];
        for question in places(domain, Service::Server) {
            let answer = self.lookup.answers.last(&question).and_then(Result::ok);
            let data = answer.map(|it| it.data).unwrap_or_default();
            owners.extend(data.into_iter().filter_map(|it| match it {
                Data::Srv { target, .. } => Some(target),
                Data::Address(_) | Data::Tlsa(_) => None,
            }));
        }
        let is_below = |name: &str, owner: &str| {
            name.strip_suffix(owner).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let is_meant = |name: &str| owners.iter().any(|owner| is_below(name, owner));
        let answers = self.lookup.answers.forget_each(|question| is_meant(&question.name));
        let evidence = self.evidence.forget_each(|subject| subject.domain == *domain);
        let documents = self.posh.forget_each(|(of, _)| of == domain);
        answers + evidence + documents
    }
}

#[cfg(test)]
mod tests;

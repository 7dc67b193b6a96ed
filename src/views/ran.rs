//! What a command left in several containers.

use crate::model::ran::Ran;
use crate::theme::Role;
use crate::widgets::page::Doc;

/// The page: how it ended everywhere, then what it said.
pub fn page(ran: &Ran) -> Doc {
    let mut doc = Doc::default();
    doc.title(format!("$ {}", ran.line));
    for (title, left) in &ran.left {
        let (line, role) = match left {
            None => ("runs".to_owned(), Role::Dim),
            Some(Ok((0, _))) => ("exit 0".to_owned(), Role::Good),
            Some(Ok((code, _))) => (format!("exit {code}"), Role::Bad),
            Some(Err(why)) => (why.to_string(), Role::Bad),
        };
        doc.fact_as(title.as_str(), line, role);
    }
    for (title, left) in &ran.left {
        let Some(Ok((_, lines))) = left else { continue };
        if !lines.is_empty() {
            doc.title(title.as_str());
        }
        for line in lines {
            doc.text(line.as_str(), Role::Text);
        }
    }
    doc
}

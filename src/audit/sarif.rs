//! The report as SARIF 2.1.0, which code scanners and security dashboards read.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::checks;
use super::finding::{Finding, Rule, Severity, Status};
use super::report::Report;

impl Report {
    /// Writes it as SARIF 2.1.0.
    pub fn sarif(&self, out: &mut dyn Write) -> io::Result<()> {
        let rules = checks::rules();
        let results: Vec<Value> = self
            .findings
            .iter()
            .map(|one| result(one, &rules))
            .collect();
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": {"driver": {
                    "name": "critui",
                    "version": env!("CARGO_PKG_VERSION"),
                    "properties": {"standards": self.standards},
                    "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<Value>>(),
                }},
                "results": results,
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &log)?;
        writeln!(out)
    }
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.title},
        "help": {"text": rule.advice},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "tags": rule.standards(),
            "security-severity": score(rule.severity),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// On the scale of CVSS, by which dashboards sort.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

fn result(finding: &Finding, rules: &[&Rule]) -> Value {
    let index = rules.iter().position(|rule| rule.id == finding.rule.id);
    let known = finding.status == Status::Found;
    let name = finding.subject.name();
    let mut location = json!({"logicalLocations": [{
        "fullyQualifiedName": name,
        "kind": kind(finding),
    }]});
    if let Some(path) = file(finding) {
        location["physicalLocation"] = json!({"artifactLocation": {"uri": path}});
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        // What is open has no level.
        "kind": if known { "fail" } else { "open" },
        "level": if known { level(finding.severity) } else { "none" },
        "message": {"text": format!("{name}: {}", finding.summary)},
        "locations": [location],
        "partialFingerprints": {"critui/v1": finding.id()},
        "properties": {"severity": finding.severity.name(), "evidence": finding.evidence},
    });
    if finding.acknowledged {
        result["suppressions"] = json!([{"kind": "external", "status": "accepted"}]);
    }
    result
}

fn kind(finding: &Finding) -> &'static str {
    use super::finding::Kind;
    match finding.subject.kind {
        Kind::Container => "container",
        Kind::Pod => "pod",
        Kind::Image => "image",
        Kind::Runtime => "runtime",
        Kind::Node => "node",
    }
}

/// The file of the node that the finding is about, as a URI.
fn file(finding: &Finding) -> Option<String> {
    use std::fmt::Write as _;
    let source = finding.evidence.first()?.source.as_str();
    let path = source.strip_prefix('/')?;
    let mut uri = "file:///".to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    Some(uri)
}

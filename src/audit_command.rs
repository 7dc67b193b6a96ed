//! `critui audit`: what on this node could hurt. It only reads, whatever else is asked for; the
//! one file that it writes is the baseline, when `--write-baseline` says so.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rustix::fs::OFlags;

use crate::audit::baseline::{self, Baseline};
use crate::audit::report::Narrow;
use crate::audit::{Report, Severity, checks, table};

/// Largest baseline.
const LARGEST: u64 = 16 << 20;

/// The arguments of `critui audit`.
// The texts are the help: backticks would show.
#[allow(clippy::doc_markdown)]
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: AuditForm,
    /// The exit code is 3 if anything so bad or worse is found
    #[arg(long, value_name = "SEVERITY", default_value = "high")]
    pub fail_on: Severity,
    /// Findings in this file are known: they are told, but do not count
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write all that is found to the file of --baseline, which is made if need be
    #[arg(long, requires = "baseline")]
    pub write_baseline: bool,
    /// Only pods of this namespace; may be given several times
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Vec<String>,
    /// Leave out a check by its name, or a pod or container as NAMESPACE/POD[/CONTAINER], where *
    /// is any; may be given several times
    #[arg(long, value_name = "WHAT", value_parser = excluded)]
    pub exclude: Vec<String>,
    /// Images may come from here, such as registry.example.com/team; others are found then; may be
    /// given several times
    #[arg(long, value_name = "REGISTRY")]
    pub registry: Vec<String>,
    /// Print all checks there are, where they come from and what to do, as a table in Markdown
    #[arg(long, exclusive = true)]
    pub checks: bool,
}

/// Form of the report.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AuditForm {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
    /// For spreadsheets.
    Csv,
    /// For documents: Markdown.
    Md,
    /// For code scanners and security dashboards.
    Sarif,
}

fn excluded(what: &str) -> Result<String, String> {
    let rules = checks::rules();
    if what.contains('/') || rules.iter().any(|rule| rule.id == what) {
        return Ok(what.to_owned());
    }
    let likeness = |id: &str| strsim::jaro_winkler(id, what);
    let near = rules
        .iter()
        .max_by(|a, b| likeness(a.id).total_cmp(&likeness(b.id)));
    let near = near.map_or("", |rule| rule.id);
    Err(format!(
        "there is no such check ({near} is near), and a pod is written as NAMESPACE/POD"
    ))
}

/// The file of the baseline, opened before rights are given up.
#[derive(Debug)]
pub struct BaselineFile {
    file: File,
    path: PathBuf,
    writes: bool,
}

impl BaselineFile {
    /// Opens it, to be read or to be written. A link in its place is not followed for writing. The
    /// error is a line that names it.
    pub fn open(path: &Path, writes: bool) -> Result<Self, String> {
        let mut options = OpenOptions::new();
        // What is no plain file must not hold the program up.
        let mut flags = OFlags::NONBLOCK;
        if writes {
            options.write(true).create(true).truncate(false).mode(0o600);
            flags |= OFlags::NOFOLLOW;
        } else {
            options.read(true);
        }
        options.custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
        let file = options
            .open(path)
            .map_err(|error| told(path, &error.to_string()))?;
        if !file.metadata().is_ok_and(|data| data.is_file()) {
            return Err(told(path, "is no regular file"));
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            writes,
        })
    }

    /// Writes a baseline of all that was found.
    pub fn write(&mut self, report: &Report) -> Result<(), String> {
        let mut text = Vec::new();
        let written = baseline::write(&report.findings, &mut text)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.set_len(0))
            .and_then(|()| self.file.write_all(&text))
            .and_then(|()| self.file.sync_all());
        written.map_err(|error| told(&self.path, &error.to_string()))
    }

    /// Reads it.
    pub fn read(&mut self) -> Result<Baseline, String> {
        if self.writes {
            return Ok(Baseline::default());
        }
        let mut text = String::new();
        let mut start = (&mut self.file).take(LARGEST);
        let read = start.read_to_string(&mut text);
        read.map_err(|error| told(&self.path, &error.to_string()))?;
        Baseline::parse(&text).map_err(|why| told(&self.path, &why))
    }

    /// It is to be written.
    pub fn writes(&self) -> bool {
        self.writes
    }
}

fn told(path: &Path, why: &str) -> String {
    format!("baseline {}: {why}", path.display())
}

impl Audit {
    /// Opens the baseline, if there is one.
    pub fn open_baseline(&self) -> Result<Option<BaselineFile>, String> {
        let path = self.baseline.as_deref();
        path.map(|path| BaselineFile::open(path, self.write_baseline))
            .transpose()
    }

    /// What the report leaves out.
    pub fn narrow(&self) -> Narrow {
        Narrow {
            namespaces: self.namespace.clone(),
            exclude: self.exclude.clone(),
        }
    }

    /// Writes the table of all checks.
    pub fn list(out: &mut dyn Write) -> io::Result<()> {
        out.write_all(table().as_bytes())
    }

    /// Writes a report.
    pub fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match self.output {
            AuditForm::Table => report.table(out),
            AuditForm::Json => report.json(out),
            AuditForm::Yaml => report.yaml(out),
            AuditForm::Csv => report.csv(out),
            AuditForm::Md => report.markdown(out),
            AuditForm::Sarif => report.sarif(out),
        }
    }
}

//! The history of the repository's own tree: its commits, newest first, and which of them changed what.

mod walk;

pub use walk::{End, LastChange};

use crate::id::EntryId;
use crate::odb::{ObjectError, ObjectKind, Odb};
use crate::store::Store;

/// A commit of the repository's own history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: EntryId,
    /// Its parents, in their order.
    pub parents: Vec<EntryId>,
    /// Its tree.
    pub tree: EntryId,
    /// The author's name; bytes that are no UTF-8 are replaced, here and below.
    pub author: String,
    /// The author's address.
    pub email: String,
    /// When it was written, seconds since 1970; 0 where the commit does not say, here and below.
    pub time: i64,
    /// When it was committed, seconds since 1970.
    pub committed: i64,
    /// The first paragraph of its message, on one line.
    pub subject: String,
    /// The whole message.
    pub message: String,
}

impl Commit {
    /// Whether it has more than one parent.
    pub fn is_merge(&self) -> bool {
        self.parents.len() > 1
    }

    /// What follows the first paragraph of its message.
    pub fn body(&self) -> &str {
        let message = self.message.trim_start();
        message.split_once("\n\n").map_or("", |(_, body)| body.trim_end())
    }

    /// Parses a raw commit of whatever origin: old ones have authors without a time, and worse.
    fn parse(id: EntryId, raw: &[u8]) -> Option<Self> {
        let end = memchr::memmem::find(raw, b"\n\n").unwrap_or(raw.len());
        let header = String::from_utf8_lossy(&raw[..end]);
        let hex = |text: &str| gix::ObjectId::from_hex(text.as_bytes()).ok().map(EntryId);
        let mut tree = None;
        let mut parents = Vec::new();
        let (mut author, mut committer) = (None, None);
        for line in header.split('\n') {
            let Some((key, value)) = line.split_once(' ') else { continue };
            match key {
                "tree" if tree.is_none() => tree = Some(hex(value)?),
                "parent" => parents.push(hex(value)?),
                "author" if author.is_none() => author = Some(Person::parse(value)),
                "committer" if committer.is_none() => committer = Some(Person::parse(value)),
                _ => {}
            }
        }
        let author = author.unwrap_or_default();
        let message = String::from_utf8_lossy(raw.get(end + 2..).unwrap_or_default()).into_owned();
        Some(Self {
            id,
            parents,
            tree: tree?,
            author: author.name.to_owned(),
            email: author.email.to_owned(),
            time: author.time,
            committed: committer.map_or(author.time, |committer| committer.time),
            subject: subject(&message),
            message,
        })
    }
}

/// The lines before the first empty one, as one.
fn subject(message: &str) -> String {
    let mut out = String::new();
    for line in message.trim_start().lines().map(str::trim).take_while(|line| !line.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
    out
}

#[derive(Default)]
struct Person<'a> {
    name: &'a str,
    email: &'a str,
    time: i64,
}

impl<'a> Person<'a> {
    /// Parses `Name <mail> 1767225600 +0000`.
    fn parse(text: &'a str) -> Self {
        let (who, when) = text.rsplit_once('>').unwrap_or((text, ""));
        let (name, email) = who.split_once('<').unwrap_or((who, ""));
        let time = when.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        Self { name: name.trim(), email: email.trim(), time }
    }
}

/// Reads a commit of whatever origin.
pub(crate) fn read(odb: &Odb, id: EntryId, buffer: &mut Vec<u8>) -> Result<Commit, ObjectError> {
    let raw = odb.read_alike(id, ObjectKind::Commit, buffer)?;
    let damaged = || ObjectError::Damaged { id, message: "it is no commit as git writes them".to_owned() };
    Commit::parse(id, raw).ok_or_else(damaged)
}

impl Store {
    /// Reads a commit.
    ///
    /// # Errors
    /// [`ObjectError`] when it is missing, damaged or no commit.
    pub fn commit(&self, id: EntryId) -> Result<Commit, ObjectError> {
        read(&self.odb, id, &mut Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn parse(headers: &str, message: &str) -> Option<Commit> {
        let id = EntryId::from_hex(TREE).unwrap();
        Commit::parse(id, format!("{headers}\n{message}").as_bytes())
    }

    #[test]
    fn commits_of_any_age_are_read() {
        let line = |author: &str| format!("tree {TREE}\nauthor {author}\ncommitter C <c@c> 9 +0000\n");
        let check = |author: &str, want: (&str, &str, i64)| {
            let commit = parse(&line(author), "x\n").unwrap();
            assert_eq!((commit.author.as_str(), commit.email.as_str(), commit.time), want, "{author}");
            assert_eq!(commit.committed, 9);
        };
        check("A B <a@b> 7 +0000", ("A B", "a@b", 7));
        check("A <B> <a@b> -7 +0000", ("A", "B> <a@b", -7));
        check("A <a@b>", ("A", "a@b", 0));
        check("<> 7", ("", "", 7));
        check("", ("", "", 0));
        assert_eq!(parse("author A <a> 1 +0000\n", "x"), None);
        assert!(parse(&format!("tree {TREE}\n"), "").is_some());
    }

    #[test]
    fn messages_have_a_subject_and_a_body() {
        let check = |message: &str, subject: &str, body: &str| {
            let commit = parse(&format!("tree {TREE}\n"), message).unwrap();
            assert_eq!((commit.subject.as_str(), commit.body()), (subject, body), "{message:?}");
        };
        check("one\ntwo\n\nthree\n\nfour\n", "one two", "three\n\nfour");
        check("\n\n one \n", "one", "");
        check("", "", "");
    }
}

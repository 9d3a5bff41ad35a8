//! Tests of the stem store: writing, killed writers, truncated and removed files, and reading.

use proptest::prelude::*;

use super::*;
use crate::engine::problem::Class;

fn sources() -> Vec<String> {
    vec!["drums".into(), "bass".into()]
}

/// Result of a model that returns stem `s` as the mix times `s + 1`.
fn result(plan: &Plan, segment: usize, mix: impl Fn(u64, usize) -> f32) -> Vec<f32> {
    let own = plan.segment(segment);
    let mut planar = Vec::new();
    for stem in 0..2 {
        for channel in 0..CHANNELS {
            planar.extend(own.clone().map(|f| mix(f, channel) * (stem + 1) as f32));
        }
    }
    planar
}

/// Writes a segment durably.
fn put(store: &StemStore, lock: &WriteLock, segment: usize, stems: &[f32]) -> Result<()> {
    store.write_segment(lock, segment, 0, stems)?;
    store.keep_segment(lock, segment, 0)
}

fn ramp(frame: u64, channel: usize) -> f32 {
    frame as f32 + channel as f32 / 2.0
}

#[test]
fn a_killed_store_reopens_with_finished_segments() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(250, 100);
    {
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = store.lock().unwrap();
        put(&store, &lock, 2, &result(&plan, 2, ramp)).unwrap();
    }
    let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
    assert_eq!(store.done_count(), 1);
    assert!(store.is_done(2) && !store.is_done(0));
    assert_eq!(store.plan().covered(|i| store.is_done(i)), [(150, 250)]);
}

#[test]
fn unsynced_segments_are_readable_but_not_durable() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(250, 100);
    let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
    let lock = store.lock().unwrap();
    store.write_segment(&lock, 0, 0, &result(&plan, 0, ramp)).unwrap();
    let mut out = [0.0; 20];
    store.read(1, 5, &mut out).unwrap();
    assert_eq!(out[0], 2.0 * ramp(5, 0));
    drop((store, lock));
    assert_eq!(StemStore::open(folder.path(), plan, &sources()).unwrap().done_count(), 0);
}

#[test]
fn one_writer_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(250, 100);
    let one = StemStore::open(folder.path(), plan, &sources()).unwrap();
    let two = StemStore::open(folder.path(), plan, &sources()).unwrap();
    let lock = one.lock().unwrap();
    assert!(matches!(two.lock(), Err(Problem::Locked)));
    put(&one, &lock, 0, &result(&plan, 0, ramp)).unwrap();
    drop(lock);
    let lock = two.lock().unwrap();
    assert!(!two.is_done(0));
    two.reload(&lock).unwrap();
    assert!(two.is_done(0));
}

#[test]
fn rejects_the_stems_of_another_song() {
    let folder = tempfile::tempdir().unwrap();
    StemStore::open(folder.path(), Plan::new(250, 100), &sources()).unwrap();
    assert!(StemStore::open(folder.path(), Plan::new(251, 100), &sources()).is_err());
}

#[test]
fn a_segment_with_lost_samples_is_unfinished() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(250, 100);
    let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
    let lock = store.lock().unwrap();
    for segment in 0..plan.len() {
        put(&store, &lock, segment, &result(&plan, segment, ramp)).unwrap();
    }
    assert!(store.is_complete());
    let path = stem_path(folder.path(), 1);
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(150 * 8).unwrap(); // within the second segment
    store.reload(&lock).unwrap();
    assert_eq!(store.done_count(), 1);
    drop((lock, store));
    let again = StemStore::open(folder.path(), plan, &sources()).unwrap();
    assert!(again.is_done(0) && !again.is_done(1) && !again.is_done(2));
}

#[test]
fn the_rest_is_finished_when_all_others_are() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, names, groups) = (Plan::new(250, 100), sources(), [vec![0], vec![1]]);
    let open = |rest| StemStore::open_in_groups(folder.path(), plan, (&names, rest), &groups);
    let store = open(Some("other")).unwrap();
    assert_eq!(
        (store.names(), store.sources()),
        (&["drums", "bass", "other"].map(str::to_owned)[..], &names[..])
    );
    assert_eq!(
        (store.rest(), store.groups_of(&[2]), store.groups_of(&[1])),
        (Some(2), vec![0, 1], vec![1])
    );
    assert_eq!((store.missing(&[2]), store.missing(&[0, 2])), (2 * plan.len(), 2 * plan.len()));
    assert!(!store.is_claimed(2) && !store.has_all_of(2) && !store.has_all_of(3));
    let lock = store.lock().unwrap();
    for group in [0, 1] {
        assert!(!store.has_all_of(2));
        for segment in 0..plan.len() {
            let both = result(&plan, segment, ramp);
            store.write_segment(&lock, segment, group, &both[..both.len() / 2]).unwrap();
            store.keep_segment(&lock, segment, group).unwrap();
        }
    }
    assert!(store.has_all_of(2) && store.is_complete());
    assert_eq!(store.claimed_stems(), [0, 1, 2]);
    assert!(!stem_path(folder.path(), 2).exists(), "the rest must have no file");
    drop((lock, store));
    assert!(open(None).is_err(), "stems of another network");
    assert!(open(Some("other")).unwrap().is_complete());
}

#[test]
fn headers_of_triangular_plans_are_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    drop(StemStore::open(folder.path(), Plan::new(250, 100), &sources()).unwrap());
    let header = fs::read_to_string(folder.path().join(HEADER)).unwrap();
    let expected = r#"{"frames":250,"segment_frames":100,"stride":75,"sources":["drums","bass"]}"#;
    assert_eq!(header, expected);
    let spec = crate::model::Spec::fade(sources(), 100, 50);
    let fading = Plan::of(250, &spec, crate::engine::separation::options::Quality::STANDARD);
    assert!(StemStore::open(folder.path(), fading, &sources()).is_err());
}

#[test]
fn truncated_or_removed_stores_are_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(250, 100);
    let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
    let lock = store.lock().unwrap();
    for segment in 0..plan.len() {
        put(&store, &lock, segment, &result(&plan, segment, ramp)).unwrap();
    }
    assert!(StemStore::is_complete_in(folder.path(), &plan, &[vec![0, 1]]));
    assert!(!StemStore::is_complete_in(folder.path(), &plan, &[vec![0, 1, 2]]));
    let path = stem_path(folder.path(), 1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(!StemStore::is_complete_in(folder.path(), &plan, &[vec![0, 1]]));
    assert!(store.is_in_place());
    fs::remove_file(&path).unwrap();
    if !crate::file_identity::is_wine() {
        assert!(!store.is_in_place());
        fs::write(&path, &bytes).unwrap();
        assert!(!store.is_in_place(), "another file with the same name");
        let again = put(&store, &lock, 0, &result(&plan, 0, ramp)).unwrap_err();
        assert_eq!(again.class(), Class::WaitForDisk, "{again}");
    }
}

#[test]
fn joints_are_crossfaded_with_triangular_weights() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(14, 8);
    let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
    let lock = store.lock().unwrap();
    put(&store, &lock, 0, &result(&plan, 0, |_, _| 1.0)).unwrap();
    put(&store, &lock, 1, &result(&plan, 1, |_, _| 4.0)).unwrap();
    let mut out = vec![0.0; 28];
    store.read(0, 0, &mut out).unwrap();
    let left: Vec<f32> = out.iter().copied().step_by(2).collect();
    // Frames 6 and 7 have weights 2, 1 of the first segment and 1, 2 of the second.
    assert_eq!(left[..9], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0]);
    assert!(left[12..].iter().all(|&x| x == 4.0 || x == 0.0));
}

proptest! {
    /// A model that returns its input must reproduce the mix, for any order of writes and any
    /// ranges of reads.
    #[test]
    fn identity_model_reproduces_the_mix(
        frames in 1u64..700, segment in 8usize..120, seed in 0usize..1000, step in 1usize..97,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(frames, segment);
        let store = StemStore::open(folder.path(), plan, &sources()).unwrap();
        let lock = store.lock().unwrap();
        for k in 0..plan.len() {
            let index = (k + seed) % plan.len();
            put(&store, &lock, index, &result(&plan, index, ramp)).unwrap();
        }
        prop_assert!(store.is_complete());
        for stem in 0..2usize {
            let mut start = 0u64;
            while start < frames + 5 {
                let mut out = vec![-1.0; step * CHANNELS];
                store.read(stem, start, &mut out).unwrap();
                for (i, &x) in out.iter().enumerate() {
                    let frame = start + (i / CHANNELS) as u64;
                    let want = if frame < frames {
                        ramp(frame, i % CHANNELS) * (stem + 1) as f32
                    } else {
                        0.0
                    };
                    prop_assert!((x - want).abs() <= want.abs() * 1e-6, "{x} {want}");
                }
                start += step as u64;
            }
        }
    }
}

//! Tests of the store on a real folder, with a tiny model.

use std::io::{Seek as _, SeekFrom};

use super::*;
use crate::model::weights::{
    samples,
    server::{Answer, Server},
};

struct Home {
    folder: tempfile::TempDir,
    store: Store,
}

impl Home {
    fn new(origins: Vec<Origin>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::with_catalog(folder.path(), samples::catalog(origins));
        Self { folder, store }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn import(&self, file: &Path) -> Result<Model> {
        self.store.import(file, &mut |_| {}, &|| false)
    }

    fn verify(&self) -> Result<()> {
        self.store.verify("tiny", &mut |_| {}, &|| false)
    }

    fn is_installed(&self) -> bool {
        matches!(self.store.state("tiny"), State::Installed { .. }) && self.verify().is_ok()
    }

    /// Everything in the models folder.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path().join("models"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn https(url: String) -> Origin {
    let file = url.rsplit('/').next().unwrap().to_owned();
    Origin::Https { url, file, sha256: None }
}

#[test]
fn every_container_becomes_the_same_canonical_file() {
    let checkpoint = samples::checkpoint();
    let onnx = samples::onnx(&checkpoint);
    let torch = samples::torch(&samples::pickle(&checkpoint), &samples::storages(&checkpoint));
    let files = [samples::safetensors(&checkpoint), samples::tgz(&onnx), onnx, torch];
    let mut written = Vec::new();
    for bytes in &files {
        let home = Home::new(Vec::new());
        assert_eq!(home.store.state("tiny"), State::Missing);
        // The name does not state the format.
        let model = home.import(&home.file("whatever.bin", bytes)).unwrap();
        assert_eq!(model.name, "tiny");
        assert!(home.is_installed());
        assert_eq!(home.names(), ["tiny.safetensors"]);
        written.push(fs::read(home.store.path("tiny")).unwrap());
    }
    assert!(written.iter().all(|bytes| *bytes == written[0]));

    // The format's own crate reads it, with the arguments in it.
    let (_, metadata) = ::safetensors::SafeTensors::read_metadata(&written[0]).unwrap();
    let text = metadata.metadata().as_ref().unwrap();
    assert_eq!(text["kwargs"], r#"{"depth":1,"segment":"1/2","sources":["left","right"]}"#);
    assert_eq!((text["klass"].as_str(), text["signature"].as_str()), ("HTDemucs", "00000000"));
    let digest = samples::catalog(Vec::new()).models()[0].networks[0].digest.clone();
    assert_eq!(Some(&text["digest"]), digest.as_ref());
    let tensors = ::safetensors::SafeTensors::deserialize(&written[0]).unwrap();
    let stored = tensors.tensor("encoder.0.conv.weight").unwrap();
    assert_eq!(stored.shape(), [2, 1, 3]);
    assert_eq!(stored.data(), &*checkpoint.tensors["encoder.0.conv.weight"].le_bytes());
}

#[test]
fn an_installed_file_can_be_imported_elsewhere() {
    let home = Home::new(Vec::new());
    home.import(&home.file("a", &samples::safetensors(&samples::checkpoint()))).unwrap();
    let other = Home::new(Vec::new());
    other.import(&home.store.path("tiny")).unwrap();
    assert!(other.is_installed());
    // An import over the file itself succeeds too.
    home.import(&home.store.path("tiny")).unwrap();
    assert!(home.is_installed());
}

#[test]
fn damage_is_found_at_once_or_by_verification() {
    let home = Home::new(Vec::new());
    assert_eq!(home.verify().unwrap_err().to_string(), "tiny is not installed");
    home.import(&home.file("a", &samples::safetensors(&samples::checkpoint()))).unwrap();
    let path = home.store.path("tiny");
    let good = fs::read(&path).unwrap();

    fs::write(&path, &good[..good.len() - 2]).unwrap();
    let State::Damaged(reason) = home.store.state("tiny") else { panic!() };
    assert!(reason.to_string().starts_with("is cut off: "), "{reason}");
    assert!(home.verify().is_err());

    fs::write(&path, "<html>").unwrap();
    assert!(matches!(home.store.state("tiny"), State::Damaged(_)));

    // A flipped bit has the right header and length.
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(&good).unwrap();
    file.seek(SeekFrom::End(-1)).unwrap();
    file.write_all(&[good[good.len() - 1] ^ 1]).unwrap();
    drop(file);
    assert!(matches!(home.store.state("tiny"), State::Installed { .. }));
    assert!(home.verify().unwrap_err().to_string().contains("is damaged: the digest"));

    // The publisher's own file under the installed name was not written by us.
    fs::write(&path, samples::safetensors(&samples::checkpoint())).unwrap();
    assert!(matches!(home.store.state("tiny"), State::Damaged(_)));

    fs::write(&path, good).unwrap();
    assert!(home.is_installed());
}

#[test]
fn other_weights_are_refused_with_their_digest() {
    let home = Home::new(Vec::new());
    let mut checkpoint = samples::checkpoint();
    samples::change(&mut checkpoint, "encoder.0.conv.weight", 0.5);
    let digest = samples::unwatched(|watch| checkpoint.digest(watch)).unwrap();
    // A publisher's graph does not describe its network; a publisher's file is recognised by its
    // name.
    let file = home.file("00000000-other.safetensors", &samples::safetensors(&checkpoint));
    assert!(home.import(&home.file("other.onnx", &samples::onnx(&checkpoint))).is_err());
    let message = home.import(&file).unwrap_err().to_string();
    assert!(message.contains("is not a model that Partita knows"), "{message}");
    assert!(message.contains(&digest) && message.contains("as large as tiny"), "{message}");
    assert_eq!(home.store.state("tiny"), State::Missing);
    assert!(home.names().is_empty());
}

#[test]
fn stems_in_another_order_are_refused() {
    let home = Home::new(Vec::new());
    let bytes = samples::safetensors(&samples::checkpoint());
    let right = br#"[\"left\",\"right\"]"#;
    let at = bytes.windows(right.len()).position(|window| window == right).unwrap();
    let swapped = [&bytes[..at], br#"[\"right\",\"left\"]"#, &bytes[at + right.len()..]].concat();
    let message = home.import(&home.file("a", &swapped)).unwrap_err().to_string();
    assert!(message.contains(r#"names its stems ["right","left"], where tiny has left, right"#));
}

#[test]
fn a_cancelled_import_leaves_nothing() {
    let home = Home::new(Vec::new());
    let file = home.file("a", &samples::safetensors(&samples::checkpoint()));
    for step in [Step::Reading, Step::Checking, Step::Writing] {
        let reached = std::cell::Cell::new(false);
        let mut progress = |progress: Progress| reached.set(progress.what == step);
        let got = home.store.import(&file, &mut progress, &|| reached.get());
        assert!(matches!(got, Err(ModelError::Cancelled)), "{step}");
        assert!(home.names().is_empty(), "{step}");
    }
}

#[test]
fn files_of_a_killed_import_are_removed() {
    let home = Home::new(Vec::new());
    let models = home.folder.path().join("models");
    fs::create_dir_all(&models).unwrap();
    for name in [".importing-old", ".importing-new"] {
        File::create(models.join(name)).unwrap();
    }
    let held = File::open(models.join(".importing-new")).unwrap();
    held.lock().unwrap();
    home.import(&home.file("a", &samples::safetensors(&samples::checkpoint()))).unwrap();
    assert_eq!(home.names(), [".importing-new", "tiny.safetensors"]);
}

#[test]
fn origins_are_tried_in_order_and_their_reasons_kept() {
    let good = samples::safetensors(&samples::checkpoint());
    let cut = good[..good.len() - 10].to_vec();
    let served = good.clone();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "/cut" => Answer::whole(&cut),
        "/good" => Answer::whole(&served),
        _ => Answer::bare("404 Not Found"),
    });
    let origins: Vec<_> =
        ["/gone", "/cut", "/good"].map(|path| https(format!("{}{path}", server.address))).into();
    let home = Home::new(origins.clone());
    let mut reasons = Vec::new();
    let mut progress = |progress: Progress| {
        if let Step::NextOrigin(reason) = progress.what {
            reasons.push(reason);
        }
    };
    home.store.install("tiny", &mut progress, &|| false).unwrap();
    assert!(home.is_installed());
    assert!(reasons[0].to_string().ends_with("answers 404 Not Found"), "{reasons:?}");
    assert!(reasons[1].to_string().contains("cut is cut off: "), "{reasons:?}");
    assert_eq!(reasons.len(), 2);
    // Only the lock stays, and a second call has nothing to do.
    let downloads = fs::read_dir(home.folder.path().join("models/downloads")).unwrap();
    assert_eq!(downloads.count(), 1);
    home.store.install("tiny", &mut |_| panic!("nothing to do"), &|| false).unwrap();

    let home = Home::new(origins[..2].to_vec());
    let message = home.store.install("tiny", &mut |_| {}, &|| false).unwrap_err().to_string();
    assert!(message.contains("answers 404 Not Found; "), "{message}");
    assert!(message.contains("is cut off: ") && message.contains("import it"), "{message}");
    assert_eq!(home.store.state("tiny"), State::Missing);
}

#[test]
fn a_cancelled_installation_tries_nothing_else() {
    let server = Server::start(|_, _| Answer::bare("404 Not Found"));
    let home = Home::new(vec![https(format!("{}/a", server.address)); 2]);
    let got = home.store.install("tiny", &mut |_| {}, &|| !server.seen().is_empty());
    assert!(matches!(got, Err(ModelError::Cancelled)));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn two_installations_do_not_meet() {
    let home = Home::new(Vec::new());
    make_folder(&home.folder.path().join("models/downloads")).unwrap();
    let lock = home.store.lock(&home.store.known("tiny").unwrap()).unwrap();
    let install = || home.store.install("tiny", &mut |_| {}, &|| false).unwrap_err().to_string();
    assert!(install().contains("is already being installed"));
    drop(lock);
    assert!(install().contains("could not install"));
}

#[test]
fn an_unknown_model_is_an_error_that_names_the_known_ones() {
    let home = Home::new(Vec::new());
    let message = home.store.install("huge", &mut |_| {}, &|| false).unwrap_err().to_string();
    assert_eq!(message, "unknown model huge; expected one of: tiny");
}

#[test]
fn a_mirror_is_tried_first_and_its_files_are_checked() {
    let good = samples::safetensors(&samples::checkpoint());
    let mut other = samples::checkpoint();
    samples::change(&mut other, "encoder.0.conv.weight", 0.25);
    let wrong = samples::safetensors(&other);
    let server = Server::start(move |_, request| match request.path.as_str() {
        "/mirror/model.safetensors" | "/publisher/model.safetensors" => Answer::whole(&good),
        "/stale/model.safetensors" => Answer::whole(&wrong),
        _ => Answer::bare("404 Not Found"),
    });
    let origin = || https(format!("{}/publisher/model.safetensors", server.address));
    let asked = || server.seen().into_iter().map(|request| request.path).collect::<Vec<_>>();
    let install = |mirror: &str| {
        let home = Home::new(vec![origin()]);
        let store = home.store.clone().with_mirror(Some(format!("{}{mirror}", server.address)));
        store.install("tiny", &mut |_| {}, &|| false).unwrap();
        assert!(home.is_installed());
    };
    install("/mirror/");
    assert_eq!(asked(), ["/mirror/model.safetensors"]);
    install("/stale");
    assert_eq!(asked()[1..], ["/stale/model.safetensors", "/publisher/model.safetensors"]);
    install("/empty");
    assert_eq!(asked()[3..], ["/empty/model.safetensors", "/publisher/model.safetensors"]);
}

/// A catalogue with a bag of two, of which nothing is known but the SHA-256 of their files.
fn bag(address: &str, files: &[Vec<u8>; 2]) -> &'static Catalog {
    let tiny = &samples::catalog(Vec::new()).models()[0];
    let network = |index: usize| {
        let file = format!("net{index}.safetensors");
        let sha256 = sha256_of(&files[index])[..8].to_owned();
        let url = format!("{address}/{file}");
        let mut weights = vec![0.0, 0.0];
        weights[index] = 1.0;
        Network {
            signature: format!("net{index}"),
            digest: None,
            sha256: vec![sha256.clone()],
            weights: Some(weights),
            kwargs: None,
            origins: vec![Origin::Https { url, file, sha256: Some(sha256) }],
            ..tiny.networks[0].clone()
        }
    };
    let networks = vec![network(0), network(1)];
    let model = Model { name: "pair".into(), networks, ..tiny.clone() };
    Box::leak(Box::new(Catalog::with_models(vec![model])))
}

fn sha256_of(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    super::super::hex(&sha2::Sha256::digest(bytes))
}

#[test]
fn a_bag_is_fetched_network_by_network_and_resumes() {
    let mut second = samples::checkpoint();
    samples::change(&mut second, "encoder.0.conv.weight", 0.25);
    let files = [samples::safetensors(&samples::checkpoint()), samples::safetensors(&second)];
    let served = files.clone();
    let server = Server::start(move |number, request| match request.path.as_str() {
        "/net0.safetensors" => Answer::whole(&served[0]),
        // Gone at first, then back.
        "/net1.safetensors" if number > 1 => Answer::whole(&served[1]),
        _ => Answer::bare("404 Not Found"),
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Store::with_catalog(folder.path(), bag(&server.address, &files));
    let model = store.get("pair").unwrap();
    let install = || store.install("pair", &mut |_| {}, &|| false);
    assert!(install().unwrap_err().to_string().contains("404"));
    assert_eq!((store.state("pair"), store.networks_there(&model)), (State::Missing, 1));
    install().unwrap();
    let asked: Vec<_> = server.seen().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/net0.safetensors", "/net1.safetensors", "/net1.safetensors"]);
    assert!(matches!(store.state("pair"), State::Installed { .. }));
    store.verify("pair", &mut |_| {}, &|| false).unwrap();

    // Swapped files are detected.
    let paths = [0, 1].map(|network| store.network_path(&model, network));
    fs::copy(&paths[0], &paths[1]).unwrap();
    assert!(matches!(store.state("pair"), State::Damaged(_)));
    store.remove("pair").unwrap();
    assert_eq!((store.state("pair"), store.networks_there(&model)), (State::Missing, 0));

    // The user imports the publisher's files.
    for (index, file) in files.iter().enumerate() {
        let path = folder.path().join(format!("downloaded {index}"));
        fs::write(&path, file).unwrap();
        assert_eq!(store.import(&path, &mut |_| {}, &|| false).unwrap().name, "pair");
    }
    assert!(matches!(store.state("pair"), State::Installed { .. }));
}

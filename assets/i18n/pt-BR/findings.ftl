# O que há de errado em arquivos de pesos e em suas configurações. Nomes de argumentos (stft_n_fft), de
# entradas (training.instruments) e de formatos ficam como estão.

finding-stems = { $count ->
    [one] { $count } stem
   *[other] { $count } stems
}

finding-names = { $count ->
    [one] foi informado { $count } nome
   *[other] foram informados { $count } nomes
}

# Por que os tensores e a descrição de um arquivo não formam uma rede: frases.
misfit-too-large = o arquivo é grande demais
misfit-ends-early = não é um arquivo safetensors (termina cedo demais)
misfit-large-header = não é um arquivo safetensors (o cabeçalho é grande demais)
misfit-header = não é um arquivo safetensors ({ $cause })
misfit-other-length = não é um arquivo safetensors (não tem o tamanho que o cabeçalho indica)
misfit-tensor-missing = falta o tensor { $name }
misfit-tensors-missing = faltam os tensores de { $prefix }
misfit-tensor-unknown = o tensor { $name } não é esperado
misfit-tensor-shape = o tensor { $name } tem a forma { $found } em vez de { $expected }
misfit-tensor-dimensions = o tensor { $name } tem a forma { $found } em vez de { $dimensions } dimensões
misfit-tensor-type = o tensor { $name } contém { $found } em vez de F16 ou F32
misfit-class = redes da classe { $class } não são suportadas
misfit-no-arguments = o arquivo não diz como sua rede é construída (falta "kwargs")
misfit-arguments = os argumentos da rede ("kwargs") não são válidos: { $cause }
misfit-arguments-form = args deve ser uma lista, e kwargs um objeto
misfit-many-arguments = há argumentos posicionais demais
misfit-argument-unknown = HTDemucs não tem o argumento { $name }
misfit-argument-missing = falta o argumento { $name }
misfit-argument = redes com o argumento { $name } = { $value } não são suportadas
misfit-argument-range = o argumento { $name } = { $value } não está entre { $least } e { $most }
misfit-argument-not-whole = o argumento { $name } = { $value } não é um número inteiro
misfit-argument-not-a-number = o argumento { $name } não é um número
misfit-argument-step = o argumento { $name } não é múltiplo de { $step }
misfit-disagree = os argumentos { $names } não combinam entre si
misfit-memory = os argumentos { $names } exigem memória demais
misfit-merging = depth, nfft, stride e kernel_size pedem uma rede cujos ramos se unem antes do transformer, o que não é suportado
misfit-sources = os nomes dos stems (sources, rest) não são de 1 a { $most } nomes diferentes
misfit-length = segment não é uma duração em segundos
misfit-length-range = segment está vazio ou é absurdamente longo
misfit-band-bins = freqs_per_bands tem { $found } frequências em vez de { $bins }
misfit-mel-empty = num_bands = { $count } deixa uma banda sem frequências
misfit-mel-gap = num_bands = { $count } deixa lacunas em uma banda
misfit-mel-bin = nenhuma banda de num_bands = { $count } contém a frequência { $bin }
misfit-too-long = um segmento de { $frames } frames exige memória demais; informe { MEDIUM() ->
    [command-line] um mais curto com --chunk
   *[window] um segmento mais curto
}
misfit-sound = a rede foi treinada a { $rate } Hz, { $channels }; por ora só há suporte a redes de 44100 Hz, estéreo
misfit-entry = { $path } em { $origin } { $fault }
misfit-variant = é uma variante do RoFormer, com { $variant }, que não é suportada
misfit-transformers = suas camadas têm { $count } transformers em vez de 2 ou 3
misfit-heads = { $rows } linhas de to_qkv não formam { $heads } cabeças de atenção
misfit-feed-forward = suas partes feed-forward têm largura { $hidden }, em vez de quatro vezes { $dim }
misfit-limit = seu { $name } seria { $value }; o limite é { $most }
misfit-no-mask-layers = seus estimadores de máscara não têm camadas
misfit-mask-width = seus estimadores de máscara têm largura { $hidden } para dim { $dim }
misfit-spectrum-bins = suas bandas não cobrem as frequências de um espectro
misfit-spectrum-bins-of = suas bandas não cobrem as frequências de um espectro de stft_n_fft = { $size }
misfit-not-mel = as larguras de suas bandas não são as de um banco de filtros mel de { $bands } bandas a { $rate } Hz
misfit-narrowing = sua primeira escala reduz { $channels } canais a { $down }
misfit-not-stereo = { $inputs } canais de entrada e { $outputs } de saída não formam stems estéreo
misfit-many-bins = seus espectros têm mais de { $most } frequências
misfit-batch-norm = suas normalizações são BatchNorm, que não é suportada
misfit-no-norm = a rede não tem normalizações, o que não é suportado
misfit-spectra = um segmento de { $chunk } frames com hop de { $hop } dá { $spectra } espectros, que não é múltiplo de { $step }; um segmento que serve tem { $fitting } frames
misfit-stated-names = a rede gera { $stems }, mas { $stated }: { $names }
misfit-takes-no-facts = o arquivo diz como sua rede é construída, e este tipo de rede não aceita outro hop, segmento ou nomes; { MEDIUM() ->
    [command-line] omita --hop, --chunk, --stems e --rest
   *[window] importe-o sem informar nenhum deles
}
misfit-no-hop = um hop de 0 frames não é possível
misfit-hop = um hop de { $hop } frames não combina com janelas de { $window }; o hop costuma ser 441, 512 ou 1024
misfit-chunk = um segmento de { $chunk } frames não está entre { $least } (uma janela) e { $most }
misfit-stem-name = o nome de stem "{ $name }" { $fault }; { MEDIUM() ->
    [command-line] dê nome aos stems com --stems, e ao resto com --rest
   *[window] troque os nomes dos stems ou do resto
}
misfit-many-stems = a rede tem { $count } stems; o limite é { $limit }
misfit-reference = não foi possível ler os números de referência embutidos: { $cause }

# Por que um valor de uma configuração não serve: predicados.
entry-not-a-number = não é um número
entry-not-whole = é { $value }, que não é um número inteiro
entry-out-of-range = é { $value }, que não está entre { $least } e { $most }
entry-not-wholes = não é uma lista de números inteiros
entry-not-a-name = não é um nome
entry-not-names = não é uma lista de nomes
entry-disagrees = é { $stated }, mas os tensores do checkpoint dizem { $found }: é a configuração de outra rede
entry-asks = pede { $variant }, o que não é suportado
entry-no-overlap = é 0; o mínimo é 1, que significa sem sobreposição
entry-one-target = é { $target }, mas a rede gera { $stems }
entry-no-instrument = é { $target }, que não está em training.instruments: { $known }; { MEDIUM() ->
    [command-line] dê nome ao stem com --stems
   *[window] corrija a configuração
}
entry-other-count = tem { $count } nomes, mas a rede gera { $stems }: é a configuração de outra rede
entry-longer-window = é maior que stft_n_fft
entry-other-bands = tem bandas diferentes das do checkpoint: é a configuração de outra rede
entry-not-a-rate = não é uma taxa de amostragem
entry-not-even = não é um número par de { $least } a { $most }
entry-other-kind = é de um { $other }, mas o checkpoint é um { $this }: é a configuração de outra rede
entry-other-channels = é { $stated }, mas os tensores do checkpoint são para { $channels } canais: é a configuração de outra rede
entry-other-scale = não é { $found }, como nos tensores do checkpoint
entry-other-bins = não combina com { $bins } frequências
entry-only = é { $stated }; só há suporte a { $only }
entry-bottleneck = é { $factor }, mas o checkpoint reduz { $wide } frequências a { $narrow }

# Por que um stem não pode ter um nome: predicados.
stem-name-empty = está vazio
stem-name-too-long = tem { $bytes } bytes; o limite é { $limit }
stem-name-character = tem o caractere { $letter }, que não é permitido
stem-name-ends = começa ou termina com ponto ou espaço
stem-name-reserved = é reservado para arquivos e opções do próprio Partita
stem-name-twice = é o nome de dois stems

# Partes de redes que só variantes sem suporte têm: substantivos.
variant-pope = embeddings PoPE (PolarFormer)
variant-segm = estimadores de máscara do tipo HyperACE ou Segm
variant-hyper-ace = o módulo HyperACE
variant-value-residuals = resíduos de valores (value residuals)
variant-hyper-connections = hiperconexões (hyper-connections)
variant-lora = pesos LoRA que não foram incorporados à rede
variant-conformer = blocos Conformer
variant-mamba = blocos Mamba
variant-fno = operadores neurais de Fourier (FNO)

# Por que um arquivo não é um modelo, ou um endereço não o entrega: predicados.
malformed-damaged = está danificado: { $cause }
malformed-tensor-twice = contém o tensor { $name } duas vezes
malformed-inexact = contém no tensor { $name } o valor { $value }, que não pode ser guardado exatamente; nenhum modelo que o Partita conhece tem valores assim
malformed-not-a-number = contém no tensor { $name } um valor que não é um número ({ $value }); o arquivo pode estar danificado: baixe-o de novo
malformed-dimensions = contém um tensor de mais de oito dimensões
malformed-tensor-type = contém o tensor { $name } do tipo { $found }, em vez de valores de ponto flutuante
malformed-bare-pickle = é um pickle solto: o formato do PyTorch anterior à versão 1.6. Salve-o de novo com um PyTorch mais recente: torch.save(torch.load("old.ckpt", "cpu"), "new.ckpt")
malformed-git-lfs = é um ponteiro do Git LFS, não os pesos: baixe o arquivo em si
malformed-web-page = é uma página da web, não os pesos: baixe o arquivo em si
malformed-pickle-values = contém um pickle de mais de { $limit } valores: recusado
malformed-pickle-code = contém um pickle com a instrução { $code } no byte { $at }, de que nenhum checkpoint precisa: recusado
malformed-pickle-protocol = contém um pickle do protocolo { $protocol }, mas o PyTorch grava o protocolo 2
malformed-pickle-cut-off = contém um pickle cortado; baixe o arquivo de novo
malformed-pickle = contém um pickle danificado
malformed-asks = contém um pickle que pede { $name }: recusado, porque isso pode executar qualquer programa; salve só o estado da rede: torch.save(model.state_dict(), "new.ckpt")
malformed-no-directory = está cortado ou danificado: o diretório no fim de seus { $length } não foi encontrado ({ $cause }); baixe o arquivo de novo
malformed-not-pytorch = é um arquivo zip, mas não foi o PyTorch que o gravou
malformed-no-state = é um arquivo do PyTorch sem o estado de uma rede
malformed-many-values = contém tensores com mais valores que o arquivo: recusado
malformed-tensor-name = contém um tensor cujo nome não é um texto
malformed-entry-missing = está danificado: falta sua entrada { $name }
malformed-entry = está danificado: não foi possível ler sua entrada { $name } ({ $cause })
malformed-entry-compressed = está danificado: sua entrada { $name } está comprimida, o que o PyTorch nunca faz
malformed-entry-length = está danificado: sua entrada { $name } não tem o tamanho que indica
malformed-entry-too-large = tem uma entrada { $name } de { $size }; o limite é { $limit }
malformed-big-endian = foi gravado em uma máquina big-endian, e o Partita não consegue lê-lo
malformed-tensor-short = contém o tensor { $name } de forma { $shape }, mas só { $available } valores para ele
malformed-endless-arguments = contém argumentos de construtor sem fim: recusado
malformed-odd-arguments = contém argumentos de construtor que não são valores simples
malformed-header-too-large = declara um cabeçalho de { $size }; o limite é { $limit }
malformed-header = tem um cabeçalho inválido: { $cause }
malformed-too-long = tem { $excess } a mais do que o cabeçalho indica
malformed-quantised = é um checkpoint quantizado, que o Partita não executa
malformed-arguments = tem argumentos de construtor inválidos: { $cause }
malformed-long-configuration = passa de { $limit }, o limite de uma configuração
malformed-yaml-text = não é YAML válido: não está em UTF-8
malformed-yaml-nesting = é YAML com mais de { $limit } valores um dentro do outro
malformed-yaml = não é YAML válido: { $cause }
malformed-not-a-configuration = não é a configuração de um checkpoint: não tem a seção "audio" nem "model"
malformed-no-graph = é um arquivo ONNX sem grafo
malformed-large-graph = contém um grafo de mais de { $limit } nós
malformed-many-inputs = contém um nó com mais de 16 entradas sem nome
malformed-outside-tensors = guarda seus tensores em outro arquivo, ao lado do grafo
malformed-tensor-bytes = contém o tensor { $name } de forma { $shape } com { $bytes } bytes de valores
malformed-tensor-unused = contém o tensor { $name }, que nada em seu grafo usa
malformed-tensor-use = contém o tensor { $name }, usado por { $operator }, o que é desconhecido no HTDemucs
malformed-tensor-shape = contém o tensor { $name } de forma { $shape }, que o HTDemucs não tem
malformed-tensor-parts = contém { $count } partes de { $name }, em vez de duas
malformed-protobuf = está danificado: os dados ONNX perto do byte { $at } não são válidos
malformed-large-field = contém um campo de { $size }; o limite é { $limit }
malformed-other-graph = contém um grafo de SHA-256 { $found }, que não é o conhecido
malformed-no-onnx = é um pacote sem um grafo ONNX
malformed-not-npm = não é um pacote npm: { $cause }
malformed-no-npm = não pode ser baixado, porque { $program } não pôde ser iniciado ({ $cause }); ele vem com o Node.js
malformed-npm-says = não pode ser baixado: o npm diz: { $text }
malformed-npm-answers = não pode ser baixado: o npm responde { $text }
malformed-status = responde { $status }
malformed-part = envia uma parte sem dizer qual
malformed-other-part = envia outra parte, não a que foi pedida
malformed-shrunk = diz que o arquivo é menor do que o que já foi enviado
malformed-offer = oferece um arquivo de { $size }; o limite é { $limit }
malformed-surplus = envia mais do que anunciou
malformed-broke-off = parou depois de { $done } ({ $cause })
malformed-broke-off-of = parou depois de { $done } de { $total } ({ $cause })
malformed-closed = parou depois de { $done } de { $total } (a conexão foi encerrada)
malformed-page = responde com uma página ({ $kind }) em vez do arquivo
malformed-other-digest = envia um arquivo de SHA-256 { $found }, que não começa com { $expected }
malformed-foreign = é { $network }; o Partita não executa esse tipo de rede
malformed-unusable = não pode ser usado: { $misfit }
malformed-unusable-tensors = não pode ser usado: { $misfit }; o arquivo pode estar danificado: baixe-o de novo
malformed-configurations = tem na mesma pasta várias configurações que servem: { $names }; { MEDIUM() ->
    [command-line] indique a certa com --config, ou dê a ela o nome do checkpoint
   *[window] dê à certa o nome do checkpoint, ou importe-a junto com o checkpoint
}
malformed-bag-facts = descreve um conjunto de redes, que já dizem como são construídas; { MEDIUM() ->
    [command-line] omita --hop, --chunk, --stems e --rest
   *[window] importe-o sem informar hop, segmento ou nomes
}
malformed-bag-stems = gera stems diferentes dos das outras redes do conjunto
malformed-of-catalog = é { $model }, do catálogo; { MEDIUM() ->
    [command-line] omita --name, --hop, --chunk, --stems e --rest
   *[window] importe-o sem informar nome, hop, segmento ou stems
}
malformed-other-file = é { $found }, não { $expected }
malformed-other-class = diz ser um { $class }, mas { $model } é um { $expected }
malformed-other-stems = chama seus stems de { $stems }, mas { $model } tem { $expected }
malformed-catalog-name = não pode se chamar { $name }: esse é um modelo do catálogo; { MEDIUM() ->
    [command-line] escolha outro --name
   *[window] escolha outro nome
}
malformed-taken-name = não pode se chamar { $name }: outro modelo tem esse nome; { MEDIUM() ->
    [command-line] escolha outro --name, ou remova antes aquele modelo (`partita model remove { $name }`)
   *[window] escolha outro nome, ou remova antes aquele modelo
}
malformed-bad-name = não pode se chamar "{ $name }": o nome de um modelo tem de 1 a { $most } caracteres, entre letras de A a Z e de a a z, algarismos, "_" e "-", e não começa com "-"; { MEDIUM() ->
    [command-line] escolha outro --name
   *[window] escolha outro nome
}
malformed-unknown = não é um modelo que o Partita conhece: contém { $tensors } tensores com { $values } valores, e o hash do conteúdo é { $digest }. Conhecidos: { $known }; e qualquer outro que diga como é construído
malformed-unknown-alike = não é um modelo que o Partita conhece: contém { $tensors } tensores com { $values } valores, e o hash do conteúdo é { $digest }. É do tamanho de { $model }: uma versão com outros valores, ou danificada. Conhecidos: { $known }; e qualquer outro que diga como é construído
malformed-marked = está marcado com o hash { $found }, não { $expected }; instale-o de novo
malformed-other-network = é o arquivo de outra rede; instale-o de novo
malformed-not-partitas = não foi gravado pelo Partita; importe-o
malformed-class = contém uma rede da classe { $class }, que não é suportada
malformed-no-stem-names = não diz os nomes de seus stems
malformed-shares = não tem um peso para cada um de seus { $stems } stems
malformed-no-share = não atribui { $stem } a nenhuma rede
malformed-checkpoint-yaml = é a configuração de um checkpoint: importe o checkpoint da mesma pasta, e ela será encontrada
malformed-not-a-bag = não é a descrição de um conjunto de redes: não tem a lista "models"
malformed-many-networks = indica mais de { $limit } redes
malformed-signature = tem um nome que não é uma assinatura
malformed-no-weights = não dá pesos a suas redes
malformed-other-weights = tem pesos que não servem a nenhuma rede
malformed-network-missing = indica a rede { $signature }, mas não há na mesma pasta { $signature }.th nem { $signature }.safetensors

# Tipos de redes que não podem ser executadas: substantivos, em malformed-foreign.
network-scnet = uma SCNet
network-bare-htdemucs = um HTDemucs que não diz como é construído; use o arquivo de quem o publicou
network-bandit = uma Bandit ou BSRNN
network-mamba = uma rede com blocos Mamba
network-apollo = uma Apollo
network-vr = uma rede VR do Ultimate Vocal Remover
network-segm = uma rede Segm
network-swin = uma Swin-UPerNet
network-lora = um conjunto de pesos LoRA
network-hdemucs = um Demucs v3 (HDemucs)
network-diffusion = um modelo de difusão
network-language = um modelo de linguagem
network-picture = um modelo de texto ou imagem

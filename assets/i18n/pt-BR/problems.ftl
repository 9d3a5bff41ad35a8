# Problemas: por que algo falhou e o que fazer. As frases começam com minúscula: algumas vêm depois de
# dois-pontos.

## Arquivos e discos. $cause é uma das mensagens os-…, ou um texto do sistema.

problem-read = não foi possível ler { $path }: { $cause }
problem-write = não foi possível gravar { $path }: { $cause }
problem-create = não foi possível criar { $path }: { $cause }
problem-remove = não foi possível remover { $path }: { $cause }
problem-rename = não foi possível renomear { $path }: { $cause }
problem-restore = não foi possível recuperar { $path }: { $cause }
problem-output = não foi possível gravar { $path }: { $cause }; escolha outra pasta
problem-no-room = não foi possível gravar { $path }: são necessários { $needed } MB, há { $free } MB livres
problem-no-room-folder = não foi possível gravar { $path }: são necessários { $needed } MB, há { $free } MB livres; escolha outra pasta
problem-no-room-bits = não foi possível gravar { $path }: são necessários { $needed } MB, há { $free } MB livres; escolha outra pasta, ou menos bits
problem-no-room-own = não foi possível gravar { $path }: são necessários { $needed } MB, há { $free } MB livres; libere espaço nesse disco
problem-stores = não foi possível ler os dados da música: { $cause }
problem-waveform = não foi possível desenhar a forma de onda: { $cause }
problem-exists = { $count ->
    [one] já existe um arquivo: { $files }
   *[other] já existem arquivos: { $files }
}
problem-exists-unasked = { $count ->
    [one] já existe um arquivo: { $files }; use --on-exists replace, number ou skip
   *[other] já existem arquivos: { $files }; use --on-exists replace, number ou skip
}
problem-folder-unreadable = não foi possível ler esta pasta: { $cause }
problem-folder-empty = esta pasta está vazia
problem-folder-no-song = não há música nesta pasta; { $left-out }
# Por que os dados de uma música não servem; estão no lugar de $cause acima.
store-cut-off = o arquivo está cortado
store-foreign = o arquivo pertence a outra música ou a outro modelo
store-removed = o arquivo foi removido
store-missing = o arquivo não está mais na pasta de dados; coloque-o de volta, ou adicione o arquivo da música de novo
os-not-found = não existe (erro { $number } do sistema)
os-denied = permissão negada (erro { $number } do sistema)
os-no-space = não há espaço no disco (erro { $number } do sistema)
os-read-only = o disco só permite leitura (erro { $number } do sistema)
os-gone = erro de leitura ou gravação no disco (erro { $number } do sistema)
os-stale = o arquivo não é mais válido no servidor (erro { $number } do sistema)
os-is-folder = é uma pasta (erro { $number } do sistema)
os-not-folder = não é uma pasta (erro { $number } do sistema)
os-timed-out = não houve resposta a tempo (erro { $number } do sistema)
os-refused = a conexão foi recusada (erro { $number } do sistema)
os-no-network = a rede está inacessível (erro { $number } do sistema)
# Arquivos que a busca em uma pasta deixou de lado.
left-out = itens ignorados: { $count } ({ $reasons })
left-out-not-audio = sem extensão de áudio: { $count }
left-out-own = feitos pelo Partita: { $count }
left-out-hidden = ocultos: { $count }
left-out-not-files = links quebrados ou dispositivos: { $count }
left-out-unreadable = impossíveis de ler: { $count }

## Biblioteca e pasta de dados

problem-library = não foi possível ler ou gravar a biblioteca: { $cause }
problem-open-library = não foi possível abrir a biblioteca { $path }: { $cause } (o disco está cheio, ou a pasta só permite leitura?)
problem-newer-library = a biblioteca é de um Partita mais novo (versão { $version } do formato); atualize este
problem-library-rebuilt = { $songs ->
    [one] a biblioteca estava danificada e foi renomeada para { $path }; { $songs } música foi recuperada com seus stems, sem suas tarefas
   *[other] a biblioteca estava danificada e foi renomeada para { $path }; { $songs } músicas foram recuperadas com seus stems, sem suas tarefas
}
problem-home-gone = a pasta de dados { $path } não foi encontrada; coloque-a de volta para continuar; as mudanças feitas até lá serão perdidas
problem-home-unwritable = não é possível gravar na pasta de dados { $path }: { $cause }; mude as permissões dela, ou indique outra pasta em PARTITA_HOME
problem-no-home = o sistema não indica pasta de dados; indique uma em PARTITA_HOME
problem-outside-home = { $path } é um link para fora da pasta de dados, para { $target }; os arquivos de lá não foram alterados
problem-settings-unreadable = não foi possível ler { $path }: { $cause }; serão usadas as configurações padrão
problem-settings-set-aside = as configurações são inválidas ({ $fault }); o arquivo foi renomeado para { $path }, e serão usadas as configurações padrão
problem-settings-invalid = { $path } é inválido ({ $fault }) e não pôde ser renomeado ({ $cause }); serão usadas as configurações padrão
problem-settings-unwritable = não foi possível gravar as configurações: { $fault }
settings-fault-large = têm mais de 1 MB
settings-fault-not-a-file = não são um arquivo
problem-unknown-song = não há música { $id } na biblioteca
problem-no-such-song = não há música "{ $name }" na biblioteca; há estas: { $songs }
problem-no-songs = não há música "{ $name }": a biblioteca está vazia; adicione uma com `partita add ARQUIVO`
problem-several-songs = "{ $name }" corresponde a várias músicas: { $songs }; use o número
problem-unknown-job = não há tarefa { $id }; há estas: { $known }
problem-unknown-job-none = não há tarefa { $id }; não há nenhuma
problem-job-unreadable = os dados da tarefa estão danificados: { $detail }
problem-song-removed = a música foi removida da biblioteca nesse meio-tempo
problem-not-restorable = esta música não pode mais ser recuperada: seu espaço no disco já foi reaproveitado; adicione o arquivo de novo
problem-too-many-imports = há importações demais na fila; tente de novo mais tarde
problem-names-more = { $names }, e mais { $count }

## Separar

problem-no-model = não há modelo instalado; instale-o primeiro{ MEDIUM() ->
    [command-line] {" "}(`partita model install`)
   *[window] {""}
}
problem-model-missing = o modelo { $model } não está instalado; instale-o primeiro{ MEDIUM() ->
    [command-line] {" "}(`partita model install`)
   *[window] {""}
}
problem-own-model-missing = o modelo { $model } não está instalado; importe de novo o arquivo original dele
problem-no-network = o modelo { $model } não tem rede
problem-model-busy = um modelo já está sendo instalado
problem-opened-without-model = a música foi aberta sem um modelo
problem-unknown-stem = o modelo não tem o stem "{ $stem }"; tem: { $known }
problem-not-separated = a música ainda não foi separada até o fim; processe-a primeiro
problem-locked = outra instância do Partita está separando esta música; aguardando que ela termine
problem-no-fast-precision = a precisão rápida exige um processador com multiplicação em bf16 (AVX-512 BF16); escolha a precisão simples
problem-memory-limit = este modelo precisa de { $needed } MB de memória; o limite é { $limit } MB; aumente-o, nas configurações ou com --memory
problem-not-numbers = o modelo produziu amostras infinitas ou que não são números no segmento { $segment }; os pesos podem estar danificados: execute `partita model verify`
problem-paused = { MEDIUM() ->
    [command-line] a música está pausada, porque não é possível gravar no disco: { $cause }; depois continue com `partita process`
   *[window] pausada até ser possível gravar no disco: { $cause }
}
problem-loudness = não foi possível medir o loudness: { $cause }
problem-elsewhere = { $host } está trabalhando nela
problem-unseen-songs = { $count } músicas não puderam ser lidas nesta máquina (linha { $line }: { $first }), e por isso as partes não podem ser distribuídas; coloque as durações no manifesto (partita probe), ou corrija o acesso desta máquina

## Exportar e ouvir

problem-nothing-chosen = nada foi escolhido para exportar
problem-stem-index = não há stem { $stem }; a música tem { $stems } stems
problem-same-path = dois arquivos seriam gravados em { $path }
problem-depth = { $format } guarda { $bits } bits; escolha um deles, ou WAV
problem-or = { $first } ou { $second }
problem-source-needed = { $path } foi removido ou mudou: exportar o original na taxa da música depende dele; coloque-o de volta, ou escolha { $rate } Hz
problem-dj-stem = stems para DJs precisam de bateria, baixo, outros e voz; este modelo não tem { $stem }
pattern-empty = falta um nome, como {"{"}title{"}"} ({"{"}stem{"}"})
pattern-unmatched-brace = há uma chave sem par
pattern-unknown-field = campo desconhecido {"{"}{ $field }{"}"}; use um destes: { $known }
device-none = este computador não tem dispositivo de áudio
device-cannot-open = não foi possível abrir { $device }: { $cause }
device-no-format = { $device } não aceita nenhum formato de áudio que o Partita oferece
problem-manifest = em { $path }: { $detail }
problem-no-share = não foi possível ler { $path }: nenhuma parte foi iniciada ali

## O programa

problem-no-thread = não foi possível iniciar uma thread: { $cause }
problem-thread-ended = uma thread parou; abra o Partita de novo
problem-internal = erro interno ao { $doing }: { $cause }. Salve um relatório (nas configurações, ou com `partita doctor --report`) e envie-o
problem-cancelled = cancelado
doing-analysing = analisar uma música
doing-drawing = desenhar a forma de onda
doing-engine = executar o motor de processamento
doing-importing = importar um arquivo
doing-installing = instalar o modelo
doing-loading = carregar o modelo
doing-playing = tocar
doing-reading-file = ler o arquivo
doing-reading-song = ler o arquivo da música
doing-separating = separar esta música
doing-writing-files = gravar os arquivos
doing-writing-report = gravar o relatório

problem-chain = a cadeia { $path } não pode ser usada: { $fault }
problem-unknown-chain = nenhum modelo ou cadeia se chama "{ $name }"; há estas cadeias: { $known }
problem-missing-network = nenhum modelo instalado produz o stem "{ $stem }"; importe um modelo que produza: { $makes }
problem-missing-chain-model = o stem "{ $stem }" precisa do modelo { $model }, que não está instalado; importe-o

chain-not-a-chain = não é um arquivo de até 1 MB
chain-count = deve ter de 1 a { $steps } etapas e de 1 a { $stems } stems
chain-name = o nome "{ $name }" é reservado, longo demais ou não permitido em nomes de arquivo
chain-twice = o nome "{ $name }" está repetido
chain-model = "{ $name }" é o nome de um modelo
chain-network = a etapa "{ $step }" deve indicar os stems que a rede produz (makes = …), e um digest deve ter pelo menos 16 dígitos hexadecimais
chain-lone-rest = o stem "{ $stem }" é um resto, mas não há outro stem no seu ramo
chain-no-step = não há etapa "{ $step }"
chain-no-stem = não há stem "{ $stem }"
chain-order = a etapa "{ $step }" lê o stem "{ $stem }", que nenhuma etapa anterior produz
chain-no-source = o stem "{ $stem }" deve vir de etapas (from = …) ou ser o resto do seu ramo (rest = true)
chain-circle = o stem "{ $stem }" é parte de si mesmo
chain-two-rests = o ramo do stem "{ $stem }" tem dois restos
chain-minus-rest = o stem "{ $stem }" é um resto e não pode ser subtraído; subtraia os outros stems do ramo do stem de origem
chain-weight = um peso do stem "{ $stem }" não é um número acima de 0
chain-no-output = a rede da etapa "{ $step }" não produz "{ $output }"; ela produz: { $known }

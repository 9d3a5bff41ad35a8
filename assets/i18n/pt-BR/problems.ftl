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
    [one] já há um arquivo: { $files }
   *[other] já há arquivos: { $files }
}
problem-exists-unasked = { $count ->
    [one] já há um arquivo: { $files }; use --on-exists replace, number ou skip
   *[other] já há arquivos: { $files }; use --on-exists replace, number ou skip
}
problem-folder-unreadable = a pasta não pôde ser lida: { $cause }
problem-folder-empty = esta pasta está vazia
problem-folder-no-song = não há música nesta pasta; { $left-out }
# Por que os dados de uma música não servem; estão no lugar de $cause acima.
store-cut-off = está cortado
store-foreign = pertence a outra música ou a outro modelo
store-removed = foi removido
store-missing = sumiu da pasta de dados; ponha-o de volta, ou adicione o arquivo da música de novo
os-not-found = não existe (erro { $number } do sistema)
os-denied = permissão negada (erro { $number } do sistema)
os-no-space = não há espaço no disco (erro { $number } do sistema)
os-read-only = o disco só permite leitura (erro { $number } do sistema)
os-gone = o disco não responde (erro { $number } do sistema)
os-stale = o servidor do disco mudou (erro { $number } do sistema)
os-is-folder = é uma pasta (erro { $number } do sistema)
os-not-folder = não é uma pasta (erro { $number } do sistema)
os-timed-out = não houve resposta a tempo (erro { $number } do sistema)
os-refused = a conexão foi recusada (erro { $number } do sistema)
os-no-network = a rede não pode ser alcançada (erro { $number } do sistema)
# Arquivos que a busca em uma pasta deixou de lado.
left-out = itens ignorados: { $count } ({ $reasons })
left-out-not-audio = sem extensão de áudio: { $count }
left-out-own = feitos pelo Partita: { $count }
left-out-hidden = ocultos: { $count }
left-out-not-files = links sem destino ou dispositivos: { $count }
left-out-unreadable = impossíveis de ler: { $count }

## Biblioteca e pasta de dados

problem-library = a biblioteca não pôde ser lida nem gravada: { $cause }
problem-open-library = não foi possível abrir a biblioteca { $path }: { $cause } (o disco está cheio, ou a pasta só permite leitura?)
problem-newer-library = a biblioteca é de um Partita mais novo (versão { $version }); atualize este
problem-library-rebuilt = { $songs ->
    [one] a biblioteca estava danificada e agora se chama { $path }; { $songs } música foi recuperada com seus stems, sem suas tarefas
   *[other] a biblioteca estava danificada e agora se chama { $path }; { $songs } músicas foram recuperadas com seus stems, sem suas tarefas
}
problem-home-gone = a pasta de dados { $path } sumiu; ponha-a de volta para continuar; o que se muda até lá se perde
problem-home-unwritable = a pasta de dados { $path } não pode ser gravada: { $cause }; mude as permissões dela, ou indique outra pasta em PARTITA_HOME
problem-no-home = o sistema não indica pasta de dados; indique uma em PARTITA_HOME
problem-outside-home = { $path } é um link para fora da pasta de dados, para { $target }; seus arquivos ficaram como estavam
problem-settings-unreadable = não foi possível ler { $path }: { $cause }; valem as configurações padrão
problem-settings-set-aside = as configurações são inválidas ({ $fault }); o arquivo agora se chama { $path }, e valem as configurações padrão
problem-settings-invalid = { $path } é inválido ({ $fault }) e não pôde ser renomeado ({ $cause }); valem as configurações padrão
problem-settings-unwritable = não foi possível gravar as configurações: { $fault }
settings-fault-large = têm mais de 1 MB
settings-fault-not-a-file = não são um arquivo
problem-unknown-song = não há música { $id } na biblioteca
problem-no-such-song = não há música "{ $name }"; há: { $songs }
problem-no-songs = não há música "{ $name }": a biblioteca está vazia; adicione uma com `partita add ARQUIVO`
problem-several-songs = "{ $name }" serve para várias músicas: { $songs }; use o número
problem-unknown-job = não há tarefa { $id }; há: { $known }
problem-unknown-job-none = não há tarefa { $id }; não há nenhuma
problem-job-unreadable = a situação da tarefa está danificada: { $detail }
problem-song-removed = a música foi retirada da biblioteca enquanto isso
problem-not-restorable = esta música não pode mais ser recuperada: seu espaço no disco foi usado; adicione o arquivo de novo
problem-too-many-imports = há importações demais à espera; tente de novo mais tarde
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
problem-own-model-missing = o modelo { $model } não está instalado; importe de novo o arquivo de que ele veio
problem-no-network = o modelo { $model } não tem rede
problem-model-busy = um modelo já está sendo instalado
problem-opened-without-model = a música foi aberta sem um modelo
problem-unknown-stem = o modelo não tem o stem "{ $stem }"; tem: { $known }
problem-not-separated = a música ainda não foi separada até o fim; processe-a primeiro
problem-locked = outro Partita está separando esta música; este espera até ele acabar
problem-no-fast-precision = a precisão rápida pede um processador que multiplica bf16 (AVX-512 BF16); escolha a precisão simples
problem-memory-limit = este modelo precisa de { $needed } MB de memória; o limite é { $limit } MB; aumente-o, nas configurações ou com --memory
problem-not-numbers = o modelo produziu amostras infinitas ou que não são números no segmento { $segment }; os pesos podem estar danificados: execute `partita model verify`
problem-paused = { MEDIUM() ->
    [command-line] a música está em pausa, porque o disco não pode ser gravado: { $cause }; depois continue com `partita process`
   *[window] em pausa até o disco poder ser gravado: { $cause }
}
problem-loudness = não foi possível medir o loudness: { $cause }
problem-elsewhere = { $host } está trabalhando nela
problem-unseen-songs = { $count } músicas não puderam ser lidas desta máquina (linha { $line }: { $first }), e assim as partes não podem ser distribuídas; ponha as durações no manifesto (partita probe), ou corrija o acesso desta máquina

## Exportar e ouvir

problem-nothing-chosen = não há nada escolhido para exportar
problem-stem-index = não há stem { $stem }; a música tem { $stems } stems
problem-same-path = dois arquivos seriam gravados em { $path }
problem-depth = { $format } guarda { $bits } bits; escolha um deles, ou WAV
problem-or = { $first } ou { $second }
problem-source-needed = { $path } foi removido ou mudou: exportar o original na taxa da música precisa dele; ponha-o de volta, ou escolha { $rate } Hz
problem-dj-stem = stems para DJs precisam de bateria, baixo, outros e voz; este modelo não tem { $stem }
pattern-empty = falta um nome, como {"{"}title{"}"} ({"{"}stem{"}"})
pattern-unmatched-brace = há uma chave sem o par
pattern-unknown-field = não há o campo {"{"}{ $field }{"}"}; há: { $known }
device-none = este computador não tem dispositivo de som
device-cannot-open = não foi possível abrir { $device }: { $cause }
device-no-format = { $device } não aceita nenhum formato de som que o Partita oferece
problem-manifest = em { $path }: { $detail }
problem-no-share = não foi possível ler { $path }: nenhuma parte foi começada ali

## O programa

problem-no-thread = não foi possível iniciar uma thread: { $cause }
problem-thread-ended = uma thread parou; abra o Partita de novo
problem-internal = erro interno ao { $doing }: { $cause }. Salve um relatório (nas configurações, ou com `partita doctor --report`) e envie
problem-cancelled = cancelado
doing-analysing = analisar uma música
doing-drawing = desenhar a forma de onda
doing-engine = executar o programa
doing-importing = importar um arquivo
doing-installing = instalar o modelo
doing-loading = carregar o modelo
doing-playing = tocar
doing-reading-file = ler o arquivo
doing-reading-song = ler o arquivo da música
doing-separating = separar esta música
doing-writing-files = gravar os arquivos
doing-writing-report = gravar o relatório

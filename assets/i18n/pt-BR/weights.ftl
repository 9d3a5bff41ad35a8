# Modelos e seus pesos: o que se faz com eles, e por que falhou.

weights-unusable = não foi possível usar o arquivo de modelo { $path }: { $misfit }; { $remedy }
weights-install-again = instale o modelo de novo
weights-import-again = importe de novo o arquivo original do modelo
weights-download-again = baixe o arquivo de novo
weights-file = o arquivo { $path } { $fault }
weights-not-fetched = não foi possível instalar { $model }; tentativas: { $tried }; baixe um destes arquivos por outro meio e importe-o
weights-unknown = modelo desconhecido: { $name }; disponíveis: { $known }
weights-not-installed = { $model } não está instalado
weights-installing = { $model } já está sendo instalado, por outra janela ou outro comando
weights-digest = { $path } está danificado: o hash do conteúdo é { $found }, não { $noted }; { $remedy }
weights-replaced = { $path } foi substituído por outra rede; comece o trabalho de novo
weights-other-shape = { $path } não combina com as outras redes de { $model }; { $remedy }
weights-other-stems = { $path } gera stems diferentes dos que o catálogo indica; { $remedy }
weights-segment = não foi possível executar a rede: um segmento tem { $found } valores em vez de { $expected }
weights-device = não foi possível fazer os cálculos da rede: { $cause }
weights-no-device = este computador não tem o dispositivo { $device }; `partita doctor` lista os que ele tem
weights-no-metal = só o Partita para macOS calcula em metal; escolha outro dispositivo
weights-device-not-built = este Partita foi compilado sem suporte a { $device }; use um compilado com o recurso `cuda`, ou escolha outro dispositivo
weights-memory = a rede precisa de { $needed } MB de memória; o limite é { $limit } MB
weights-forbidden = este usuário não tem permissão para ler { $path }; mude as permissões ou o dono do arquivo
weights-other-sound = a rede foi treinada a { $rate } Hz, { $layout }; por ora só há suporte a redes de { $expected-rate } Hz, { $expected-layout }
weights-other-sound-file = não foi possível usar o arquivo de modelo { $path }: { $sound }
weights-facts-missing = { $path } não informa tudo sobre sua rede; coloque na mesma pasta o YAML de quem a publicou, { MEDIUM() ->
    [command-line] indique-o com --config, ou informe o que falta, por exemplo { $flags }
   *[window] ou informe o que falta
}

fault-cut-off = está cortado; { $remedy }
fault-cut-off-of = está cortado: { $have } de { $whole }; { $remedy }
fault-cut-off-after = está cortado: termina depois de { $have }; { $remedy }
fault-empty = está vazio; baixe o arquivo de novo
fault-folder = é uma pasta, não um arquivo
fault-not-a-file = não é um arquivo, é um dispositivo ou um pipe
fault-not-a-model = não é um arquivo de modelo: começa com { $start }
fault-undescribed = não diz como sua rede é construída
fault-unreachable = não responde: { $cause }
fault-no-host = não responde: o endereço não foi encontrado; verifique a conexão de rede
fault-unreadable = não pôde ser lido: { $cause }

weights-stereo = estéreo

step-starting = Iniciando
step-downloading = Baixando de { $host }
step-packing = Baixando { $package } com o npm
step-reading = Lendo
step-checking = Verificando
step-writing = Salvando
step-next = Tentando a próxima fonte: { $reason }

# A ajuda da linha de comando (partita --help). Os nomes de comandos, opções e valores não mudam.

## Nomes de valores, em maiúsculas por costume

help-value-address = ENDEREÇO
help-value-bytes = BYTES
help-value-command = COMANDO
help-value-depth = PROFUNDIDADE
help-value-device = DISPOSITIVO
help-value-dir = PASTA
help-value-factor = FATOR
help-value-file = ARQUIVO
help-value-files = ARQUIVOS
help-value-format = FORMATO
help-value-frames = FRAMES
help-value-i-n = I/N
help-value-id = ID
help-value-lufs = LUFS
help-value-n = N
help-value-name = NOME
help-value-name-file = NOME|ARQUIVO
help-value-on-exists = AÇÃO
help-value-part = FRAÇÃO
help-value-pattern = PADRÃO
help-value-port = PORTA
help-value-precision = PRECISÃO
help-value-rate = TAXA
help-value-seconds = SEGUNDOS
help-value-semitones = SEMITONS
help-value-song = MÚSICA
help-value-songs = MÚSICAS
help-value-stem-db = STEM=DB
help-value-stems = STEMS
help-value-yaml = YAML

## Opções de vários comandos

help-shared-json = Exibe um objeto JSON por linha
help-shared-threads = Número de threads para a separação [padrão: todos os núcleos]
help-shared-precision = Precisão das multiplicações: single ou fast (bf16, se o processador oferece; os stems diferem em cerca de -50 dB) [padrão: single]
help-shared-memory = Memória que o Partita pode usar, como 2G; com menos memória, a separação usa menos threads [padrão: o limite do sistema]
help-shared-device = Dispositivo que calcula as redes: auto, cpu, cuda, metal, ou uma placa pelo número, como cuda:1. auto mede as placas de vídeo uma vez para cada modelo, e usa a mais rápida se for correta e mais rápida que o processador. candle-cpu é a referência legível e lenta [padrão: auto]
help-shared-help = Exibe a ajuda
help-shared-track = Faixa de áudio usada de cada arquivo, contada a partir de 1 [padrão: a faixa padrão do arquivo]
help-shared-all-but = Grava um arquivo para cada um destes stems com a música menos o stem. Ao contrário da soma dos outros stems, o arquivo inclui o resíduo
help-shared-residual = Grava também o resíduo: com este arquivo, a soma dos stems equivale à música
help-shared-mix = Grava também a soma dos stems escolhidos
help-shared-gain = Define ganhos de stems na mix, em dB, como `vocals=-3,drums=+1.5,bass=off`; implica --mix
help-shared-out = Pasta para os arquivos
help-shared-format = Formato dos arquivos: wav, flac, alac, mp3, opus, stem (um .stem.mp4 para programas de DJ) ou dawproject
help-shared-depth = Bits de uma amostra: source (como na música), 16, 24 ou 32f
help-shared-rate = Taxa de amostragem em Hz: source (como na música) ou um número
help-shared-key = Mudança do tom de todos os arquivos em semitons, como -2 ou +1.5, na mesma velocidade [padrão: 0]
help-shared-speed = Velocidade de todos os arquivos, de 0.5 a 1.5, no mesmo tom [padrão: 1]
help-shared-loudness = Loudness da mix em LUFS, como -14; os outros arquivos recebem o mesmo ganho
help-shared-limiter = Limita os picos da mix, em vez de abaixar o volume de todos os arquivos
help-shared-on-exists = Ação se um arquivo já existir: ask (perguntar), skip (pular), number (numerar) ou replace (substituir)
help-shared-model = Modelo para a separação; veja `partita model list`
help-shared-chain = Cadeia de modelos: um nome de `partita chain list` ou um arquivo
help-shared-quality = Qualidade: draft (rascunho), standard (padrão) ou best (a melhor); as opções abaixo a refinam
help-shared-overlap = Sobreposição de segmentos vizinhos: quanto maior, mais suave e mais lento. 0 a 0.5 para HTDemucs [standard: 0.25], 0.1 a 0.75 para outras redes
help-shared-shifts = Número de passagens com atrasos aleatórios de até meio segundo, cujos resultados entram numa média: 0 a 10 [standard: 0]; só para HTDemucs
help-shared-seed = Semente dos atrasos aleatórios de --shifts: o mesmo número dá os mesmos stems
help-shared-segment = Duração de um segmento em segundos; deve ser a mesma com que a rede foi treinada
help-shared-songs = Músicas: um número de `partita list`, ou uma parte de um título que corresponda a uma só música

## partita

help-partita = Separa os instrumentos de uma música, no seu próprio computador. Sem subcomando, abre a janela
help-partita-files = Músicas e pastas para abrir na janela
help-partita-version = Exibe a versão

## partita separate

help-separate = Separa arquivos de áudio em stems e os grava em uma pasta, sem usar a biblioteca
help-separate-after =
    Códigos de saída: 0 está tudo pronto; 75 execute esta parte de novo (um sinal ou um disco cheio a interrompeu, ou o que falhou pode dar certo mais tarde); 1 há músicas que falharam definitivamente (todas as outras estão prontas); 2 uso incorreto.
    SIGTERM: o segmento atual é concluído e gravado no disco em até 20 segundos; a próxima execução continua depois dele.
help-separate-files = Arquivos de áudio e pastas para separar
help-separate-stems = Grava um arquivo para cada um destes stems, separados por vírgulas; `none` para nenhum [padrão: todos os que não têm partes próprias, ou nenhum com --all-but]
help-separate-name = Define o padrão dos nomes de arquivo, com { "{artist} {title} {album} {track} {stem} {model} {file}" }, e n entre chaves para um número; `/` cria uma pasta
help-separate-manifest = Manifesto de músicas: um caminho por linha, CSV com cabeçalho ou JSON Lines; `-` para a entrada padrão. Os campos são path, seconds, track, name, folder e opções dos arquivos como stems e format
help-separate-shard = Separa só esta parte das músicas, como 3/8; as partes têm durações parecidas, e todas as máquinas calculam as mesmas
help-separate-resume = Pula músicas prontas e continua as interrompidas (padrão com --manifest ou --shard)
help-separate-no-resume = Separa de novo as músicas prontas
help-separate-work = Pasta para músicas interrompidas [padrão: dentro da pasta de saída, onde qualquer máquina pode continuá-las]
help-separate-failures = Arquivo para as músicas que falharam, com os motivos, que também é um manifesto [padrão: na pasta de saída]

## partita probe

help-probe = Exibe um manifesto de músicas com suas durações
help-probe-files = Arquivos de áudio e pastas para listar
help-probe-manifest = Manifesto a completar em vez de arquivos; `-` para a entrada padrão

## partita report

help-report = Mostra o progresso de um acervo em todas as suas partes
help-report-folders = Pastas de saída (`--out`) de `partita separate --manifest`
help-report-verify = Lê todos os arquivos e compara cada um com seu registro

## partita add

help-add = Adiciona arquivos e pastas à biblioteca
help-add-files = Arquivos de áudio e pastas para importar

## partita list

help-list = Lista as músicas da biblioteca

## partita process

help-process = Separa músicas da biblioteca; continua tarefas interrompidas
help-process-stems = Stems, separados por vírgulas [padrão: todos os que não têm partes próprias]

## partita progress

help-progress = Mostra o progresso de uma música, ou os caminhos de suas faixas e da mix
help-progress-song = Música: um número de `partita list`, ou uma parte de um título que corresponda a uma só música

## partita export

help-export = Exporta músicas separadas: stems, mixes, arquivos para DJs e DAWs
help-export-stems = Grava um arquivo para cada um destes stems, separados por vírgulas; `none` para nenhum [padrão: todos os que não têm partes próprias, ou nenhum com --all-but]
help-export-name = Define o padrão dos nomes de arquivo, com { "{artist} {title} {album} {track} {stem} {model} {file}" }, e n entre chaves para um número; `/` cria uma pasta

## partita jobs

help-jobs = Lista as tarefas

## partita job

help-job = Mostra uma tarefa
help-job-id = Número da tarefa em `partita jobs`

## partita reset

help-reset = Cancela todas as tarefas e apaga todas as músicas, stems e tarefas da biblioteca, mas nunca os seus próprios arquivos
help-reset-yes = Apaga sem perguntar

## partita model

help-model = Lista, instala e verifica modelos

## partita model list

help-model-list = Lista os modelos conhecidos e se seus pesos estão instalados

## partita model install

help-model-install = Exibe os termos de um modelo e depois baixa, verifica e instala seus pesos
help-model-install-name = Nome do modelo [padrão: o primeiro da lista]
help-model-install-mirror = Tenta primeiro este endereço para os arquivos de quem publicou o modelo; os downloads são verificados em qualquer caso [padrão: do ambiente ou das configurações]

## partita model remove

help-model-remove = Remove os pesos de um modelo; os stems dele são mantidos
help-model-remove-name = Nome do modelo

## partita model import

help-model-import = Instala pesos de um arquivo: .safetensors, .ckpt, .pt, .th, .onnx, o .tgz de um pacote npm ou um .yaml que descreve um conjunto de redes na mesma pasta
help-model-import-file = Checkpoint, pacote ou descrição de um conjunto para importar
help-model-import-config = Configuração de um checkpoint, como publicada [padrão: o arquivo YAML correspondente na pasta do checkpoint]
help-model-import-hop = Hop do espectro em frames, como 441 ou 512 [padrão: o da configuração]
help-model-import-chunk = Duração de um segmento em frames, como 352800 [padrão: a da configuração]
help-model-import-stems = Nomes dos stems da rede, na ordem dela [padrão: os da configuração]
help-model-import-rest = Nome do stem com o resto da música [padrão: o segundo instrumento da configuração, `instrumental` junto com vocals, ou `rest`]
help-model-import-name = Nome do modelo: até 48 letras de a a z, algarismos, "_" e "-" [padrão: o do arquivo]

## partita model verify

help-model-verify = Compara cada byte dos pesos instalados com o catálogo
help-model-verify-name = Nome do modelo [padrão: todos os instalados]
help-model-verify-self-test = Executa também o modelo em um sinal embutido e compara o resultado com o do PyTorch

## partita model path

help-model-path = Exibe o caminho dos pesos de um modelo, instalados ou não
help-model-path-name = Nome do modelo [padrão: o primeiro da lista]

## partita help

help-help = Exibe esta mensagem ou a ajuda dos subcomandos dados

## partita chain

help-chain = Lista, verifica e importa cadeias de modelos

## partita chain list

help-chain-list = Lista as cadeias e seus stems

## partita chain show

help-chain-show = Mostra uma cadeia como o texto do seu arquivo, para começar uma nova a partir dela
help-chain-show-name = Nome da cadeia

## partita chain check

help-chain-check = Verifica um arquivo de cadeia: suas etapas, seus stems e se as redes estão instaladas
help-chain-check-file = Arquivo da cadeia

## partita chain import

help-chain-import = Copia um arquivo de cadeia para as suas cadeias; a cadeia recebe o nome do arquivo
help-chain-import-file = Arquivo da cadeia

## partita chain remove

help-chain-remove = Remove uma das suas cadeias; os stems dela são mantidos
help-chain-remove-name = Nome da cadeia

## partita serve

help-serve = Servir a biblioteca por HTTP, com uma página para navegadores deste e de outros computadores
help-serve-address = Endereço em que escutar; outros que o do próprio computador exigem uma chave, criada no primeiro início e mostrada uma vez como link
help-serve-port = Porta em que escutar; 0 para qualquer uma livre
help-serve-names = Nome deste servidor em endereços, como music.example.org; pode ser repetido
help-serve-token = Pedir a chave também a clientes deste computador: um proxy pode repassar os de outros
help-serve-new-token = Substituir a chave por uma nova
help-serve-certificate = Certificado para HTTPS, um arquivo PEM
help-serve-private-key = Chave privada do certificado, um arquivo PEM
help-serve-max-upload = Tamanho máximo de um arquivo enviado [padrão: 2G]
help-serve-max-disk = Tamanho máximo de todos os arquivos enviados juntos [padrão: o que o disco tem]
help-serve-max-songs = Número máximo de músicas na biblioteca [padrão: 10000]
help-serve-max-connections = Número máximo de conexões abertas [padrão: 512]

## partita doctor

help-doctor = Mostra o hardware e o software que o Partita encontra nesta máquina, e a velocidade dela
help-doctor-measure = Mede primeiro a velocidade desta máquina, com dois segmentos de ruído; as estimativas de tempo partem do resultado
help-doctor-report = Grava também um relatório de erro neste arquivo: versões, máquina, a biblioteca em números e as últimas linhas do log, sem caminhos nem nomes de músicas

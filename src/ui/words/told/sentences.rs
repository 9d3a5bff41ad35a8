//! The engine's sentences and what they are in Portuguese. Those of one matter stand together.

/// English, and Brazilian Portuguese.
pub const PORTUGUESE: &[(&str, &str)] = &[
    // The disk and the system.
    ("cannot read {}: {}", "não foi possível ler {}: {}"),
    ("cannot write {}: {}", "não foi possível gravar {}: {}"),
    ("cannot make {}: {}", "não foi possível criar {}: {}"),
    ("cannot remove {}: {}", "não foi possível remover {}: {}"),
    ("cannot rename {}: {}", "não foi possível renomear {}: {}"),
    ("cannot restore {}: {}", "não foi possível recuperar {}: {}"),
    ("cannot open the library {}: {}", "não foi possível abrir a biblioteca {}: {}"),
    ("cannot read the stores of {}: {}", "não foi possível ler os dados de {}: {}"),
    ("the song's mix in the data folder", "a mixagem da música na pasta de dados"),
    ("the song", "a música"),
    ("No such file or directory (os error {})", "não existe (os error {})"),
    ("Permission denied (os error {})", "permissão negada (os error {})"),
    ("No space left on device (os error {})", "não há espaço no disco (os error {})"),
    ("Read-only file system (os error {})", "o disco só permite leitura (os error {})"),
    ("Input/output error (os error {})", "o disco não responde (os error {})"),
    ("Is a directory (os error {})", "é uma pasta (os error {})"),
    ("Not a directory (os error {})", "não é uma pasta (os error {})"),
    (
        "there is not enough room: {} MB are needed, {} MB are free",
        "não há espaço: são necessários {} MB, há {} MB livres",
    ),
    (
        "there is not enough room: {} MB are needed, {} MB are free; choose another folder",
        "não há espaço: são necessários {} MB, há {} MB livres; escolha outra pasta",
    ),
    (
        "there is not enough room: {} MB are needed, {} MB are free; choose another folder, or fewer \
         bits",
        "não há espaço: são necessários {} MB, há {} MB livres; escolha outra pasta, ou menos bits",
    ),
    ("it is cut off", "está cortado"),
    ("{} is too long", "{} é longo demais"),
    ("it is not a file", "não é um arquivo"),
    (
        "the song was taken out of the library meanwhile",
        "a música foi retirada da biblioteca enquanto isso",
    ),
    ("it belongs to another song or model", "pertence a outra música ou a outro modelo"),
    ("somebody has removed it", "alguém o removeu"),
    ("there is a folder of that name", "há uma pasta com esse nome"),
    ("the system gives no thread: {}", "o sistema não dá mais threads: {}"),
    ("the system gives no threads to separate on: {}", "o sistema não dá threads para separar: {}"),
    ("a thread was lost", "uma thread se perdeu"),
    (
        "{} made Partita stumble ({}); please save a report, in the settings or by partita doctor \
         --report, and send it",
        TRIPPED,
    ),
    ("importing a file", "importar um arquivo"),
    ("drawing the waveform", "desenhar a forma de onda"),
    ("writing the report", "gravar o relatório"),
    ("reading the song's file", "ler o arquivo da música"),
    ("reading it", "ler o arquivo"),
    ("writing the files", "gravar os arquivos"),
    ("separating this song", "separar esta música"),
    ("loading the model", "carregar o modelo"),
    ("installing the model", "instalar o modelo"),
    ("the engine", "o programa"),
    ("cancelled", "cancelado"),
    // The library and the data folder.
    ("the library could not be read or written", "a biblioteca não pôde ser lida nem gravada"),
    (
        "the library could not be read or written: {}",
        "a biblioteca não pôde ser lida nem gravada: {}",
    ),
    (
        "the library was written by a newer Partita (version {} of its layout); update this one",
        "a biblioteca é de um Partita mais novo (versão {}); atualize este",
    ),
    (
        "the library was damaged and is now called {}; {} songs were found again with their stems, \
         their jobs are not listed any more",
        "a biblioteca estava danificada e agora se chama {}; {} músicas foram recuperadas com seus \
         stems, suas tarefas não estão mais na lista",
    ),
    (
        "the data folder {} is gone; put it back and all goes on, what is done meanwhile is not kept",
        "a pasta de dados {} sumiu; ponha-a de volta e tudo continua, o que se faz até lá não é \
         guardado",
    ),
    (
        "it is gone from the data folder; put it back, or add the song's file again",
        "sumiu da pasta de dados; ponha-o de volta, ou adicione o arquivo da música de novo",
    ),
    (
        "its name was lost; add the file again, and it has it again",
        "seu nome se perdeu; adicione o arquivo de novo, e ela volta a tê-lo",
    ),
    (
        "this song cannot be brought back any more: its room was needed; add its file again",
        "esta música não volta mais: seu espaço foi necessário; adicione o arquivo de novo",
    ),
    (
        "{} is not in the data folder but leads to {}; its files were left alone",
        "{} não está na pasta de dados, leva a {}; seus arquivos ficaram como estavam",
    ),
    ("there is no song {} in the library", "não há música {} na biblioteca"),
    ("there is no job {}; there are: {}", "não há tarefa {}; há: {}"),
    ("the system names no data folder; set PARTITA_HOME to one", NO_HOME),
    ("the settings cannot be written: {}", "os ajustes não puderam ser gravados: {}"),
    (
        "the settings are larger than 1 MB, and would not be read again",
        "os ajustes passam de 1 MB, e não seriam lidos de novo",
    ),
    (
        "the settings could not be understood ({}): the file is now called {}, and the usual \
         settings hold",
        "os ajustes não foram entendidos ({}): o arquivo agora se chama {}, e valem os usuais",
    ),
    ("it is larger than 1 MB", "tem mais de 1 MB"),
    (
        "the settings are larger than 1 MB, and would not be read again",
        "os ajustes têm mais de 1 MB, e não seriam lidos de novo",
    ),
    (
        "{} could not be understood ({}), nor renamed ({}); the usual settings hold",
        "{} não foi entendido ({}), nem renomeado ({}); valem os ajustes usuais",
    ),
    (
        "{} cannot be read, and the usual settings hold: {}",
        "{} não pôde ser lido, e valem os ajustes usuais: {}",
    ),
    ("it is larger than 1 MB", "passa de 1 MB"),
    // Songs' files.
    ("this folder holds no song: {}", "não há música nesta pasta: {}"),
    ("this folder is empty", "esta pasta está vazia"),
    ("could not read this folder: {}", "a pasta não pôde ser lida: {}"),
    ("{} passed over: {}", "{} deixado(s) de lado: {}"),
    ("{} not audio by name", "{} sem nome de áudio"),
    ("{} made by Partita", "{} feito(s) pelo Partita"),
    ("{} hidden by name", "{} com nome oculto"),
    ("{} broken links or devices", "{} link(s) sem destino ou dispositivo(s)"),
    ("{} that could not be read", "{} que não pôde ou não puderam ser lidos"),
    ("too many imports are waiting", "há importações demais à espera"),
    ("this is a folder, not a file", "isto é uma pasta, não um arquivo"),
    ("this is a device or a pipe, not a file", "isto é um dispositivo, não um arquivo"),
    ("the file is empty: it has 0 bytes", "o arquivo está vazio: tem 0 bytes"),
    ("this is not an audio file but {}", "isto não é um arquivo de áudio, é {}"),
    ("text", "texto"),
    ("a PostScript document", "um documento PostScript"),
    ("an office document", "um documento de escritório"),
    ("a text document", "um documento de texto"),
    ("a database", "um banco de dados"),
    ("a Flash animation", "uma animação Flash"),
    ("a font", "uma fonte"),
    ("an archive", "um arquivo compactado"),
    ("other data in a RIFF container", "outros dados em um contêiner RIFF"),
    (
        "a tracker module, which has notes but no recording",
        "um módulo de tracker, que tem notas mas nenhuma gravação",
    ),
    (
        "music of a game console, which has notes but no recording",
        "música de videogame, que tem notas mas nenhuma gravação",
    ),
    (
        "music of a home computer, which has notes but no recording",
        "música de computador antigo, que tem notas mas nenhuma gravação",
    ),
    ("a picture", "uma imagem"),
    ("a PDF document", "um documento PDF"),
    ("a ZIP archive", "um arquivo ZIP"),
    ("a compressed archive", "um arquivo compactado"),
    ("a program", "um programa"),
    ("a MIDI file, which has notes but no sound", "um arquivo MIDI, que tem notas mas não tem som"),
    ("this codec", "este codec"),
    (
        "this is not an audio file, or of a kind that is not known",
        "isto não é um arquivo de áudio, ou é de um tipo desconhecido",
    ),
    (
        "{} is not supported; convert the file to FLAC or WAV",
        "{} não é aceito; converta o arquivo para FLAC ou WAV",
    ),
    (
        "this kind of {} is not supported ({}); convert the file to FLAC or WAV",
        "este tipo de {} não é aceito ({}); converta o arquivo para FLAC ou WAV",
    ),
    (
        "{} is not supported; convert the sound to FLAC or WAV",
        "{} não é aceito; converta o som para FLAC ou WAV",
    ),
    (
        "{} are not supported; convert the sound to FLAC or WAV",
        "{} não são aceitos; converta o som para FLAC ou WAV",
    ),
    ("MPEG program streams", "fluxos de programa MPEG"),
    ("MPEG transport streams", "fluxos de transporte MPEG"),
    ("MPEG video streams", "fluxos de vídeo MPEG"),
    ("AVI files", "arquivos AVI"),
    ("FLV files", "arquivos FLV"),
    ("RealMedia files", "arquivos RealMedia"),
    ("NUT files", "arquivos NUT"),
    ("MXF files", "arquivos MXF"),
    ("DV streams", "fluxos DV"),
    ("recorded television files (WTV)", "gravações de televisão (WTV)"),
    ("MPEG audio of free bit rate", "áudio MPEG de taxa livre"),
    ("AAC with an ADIF header", "AAC com cabeçalho ADIF"),
    ("AAC in LATM without a container", "AAC em LATM sem contêiner"),
    ("WAV with its bytes in big-endian order (RIFX)", "WAV com bytes em ordem inversa (RIFX)"),
    ("µ-law PCM in QuickTime", "PCM µ-law em QuickTime"),
    ("A-law PCM in QuickTime", "PCM A-law em QuickTime"),
    ("ADPCM in QuickTime", "ADPCM em QuickTime"),
    ("there is no audio track {}: the file has one", "não há faixa de áudio {}: o arquivo tem uma"),
    ("there is no audio track {}: the file has {}", "não há faixa de áudio {}: o arquivo tem {}"),
    ("the settings of AAC cannot be read", "as configurações do AAC não podem ser lidas"),
    (
        "this kind of audio file is not supported ({}); convert it to FLAC or WAV",
        "este tipo de arquivo de áudio não é aceito ({}); converta para FLAC ou WAV",
    ),
    (
        "{} with {} channels is not supported; convert it to stereo, or to FLAC",
        "{} com {} canais não é aceito; converta para estéreo, ou para FLAC",
    ),
    (
        "{} channels are not supported, {} at most; convert it to stereo",
        "{} canais não são aceitos, no máximo {}; converta para estéreo",
    ),
    (
        "this number or layout of channels is not supported; convert the file to stereo",
        "este número ou esta ordem de canais não é aceita; converta o arquivo para estéreo",
    ),
    (
        "this layout of channels is not supported; convert the file to stereo",
        "esta ordem de canais não é aceita; converta o arquivo para estéreo",
    ),
    (
        "FLAC with 32 bits in joint stereo is not supported; convert it to 24 bits",
        "FLAC de 32 bits em estéreo conjunto não é aceito; converta para 24 bits",
    ),
    ("a sample rate of {} Hz is not supported (1 to 768 kHz are)", RATES),
    ("the sample rate cannot be converted", "a taxa de amostragem não pode ser convertida"),
    ("the sample rate conversion failed", "a conversão da taxa de amostragem falhou"),
    ("there is no sound in this file", "não há som neste arquivo"),
    (
        "there is no sound in this file, only other data",
        "não há som neste arquivo, só outros dados",
    ),
    ("the file's header is damaged ({}); {}", "o começo do arquivo está danificado ({}); {}"),
    ("it claims packets of {} frames", "fala em pacotes de {} quadros"),
    ("copy or download it again", "copie ou baixe de novo"),
    (
        "the file ends, or is damaged, before its sound begins; {}",
        "o arquivo acaba, ou está danificado, antes de o som começar; {}",
    ),
    (
        "the file is incomplete: its index is missing; {}",
        "o arquivo está incompleto: falta o índice; {}",
    ),
    (
        "the file is cut off before its sound begins; {}",
        "o arquivo está cortado antes de o som começar; {}",
    ),
    (
        "the file is damaged where its sound begins; {}",
        "o arquivo está danificado onde o som começa; {}",
    ),
    (
        "nearly nothing of this file can be decoded: it is damaged, or no audio",
        "quase nada deste arquivo pode ser lido: está danificado, ou não é áudio",
    ),
    (
        "it is damaged: its parts lead to one another without end",
        "está danificado: suas partes levam umas às outras sem fim",
    ),
    (
        "the file is damaged: reading it takes far longer than its length explains",
        "o arquivo está danificado: lê-lo demora muito mais do que seu tamanho explica",
    ),
    (
        "the file is damaged: its index leads to far more sound than its {} bytes can hold",
        "o arquivo está danificado: o índice leva a muito mais som do que cabe em seus {} bytes",
    ),
    (
        "the file is damaged: its {} bytes claim to hold more than {} minutes of sound",
        "o arquivo está danificado: diz ter em {} bytes mais de {} minutos de som",
    ),
    // What is odd about a song.
    ("{}; {}", "{}; {}"),
    ("{}: {}", "{}: {}"),
    ("folded down from {}", "reduzida de {}"),
    ("{} channels", "{} canais"),
    ("the sample rate changes at {}", "a taxa de amostragem muda em {}"),
    ("the number of channels changes at {}", "o número de canais muda em {}"),
    (
        "damaged or different after {}: what follows could not be read",
        "danificada ou diferente depois de {}: o resto não pôde ser lido",
    ),
    ("cut off after {} of {}", "cortada depois de {} de {}"),
    ("cut off after {}", "cortada depois de {}"),
    (
        "damaged in {} {} from {} on, silent there",
        "danificada em {} {} a partir de {}, sem som ali",
    ),
    ("place", "lugar"),
    ("places", "lugares"),
    (
        "implausible sound from {} on was silenced (blocks: {})",
        "um som impossível a partir de {} foi silenciado (blocos: {})",
    ),
    (
        "implausible sound from {} on was silenced (samples: {})",
        "um som impossível a partir de {} foi silenciado (amostras: {})",
    ),
    (
        "the recording was not finished: read to the end of the file",
        "a gravação não foi concluída: o arquivo foi lido até o fim",
    ),
    ("and {} more", "e mais {}"),
    ("the loudness cannot be measured: {}", "a sonoridade não pôde ser medida: {}"),
    ("the waveform cannot be drawn: {}", "a forma de onda não pôde ser desenhada: {}"),
    // Separating.
    ("no model is installed; install it first", "não há modelo instalado; instale-o primeiro"),
    (
        "no model is installed; install it first (`partita model install`)",
        "não há modelo instalado; instale-o primeiro",
    ),
    ("the song was opened without a model", "a música foi aberta sem um modelo"),
    ("the model is not installed any more", "o modelo não está mais instalado"),
    (
        "the model \"{}\" is not installed any more; install it again",
        "o modelo \"{}\" não está mais instalado; instale-o de novo",
    ),
    (
        "the model {} is not installed; install it first (`partita model install`)",
        "o modelo {} não está instalado; instale-o primeiro",
    ),
    ("the model has no stem \"{}\"; it has: {}", "o modelo não tem o stem \"{}\"; tem: {}"),
    ("the song is not separated yet", "a música ainda não foi separada"),
    ("the song has no stems", "a música não tem stems"),
    (
        "paused, and goes on when the disk takes it: {}",
        "em pausa, continua quando o disco deixar: {}",
    ),
    (
        "another Partita is separating this song; this waits until it has ended there",
        "outro Partita está separando esta música; aqui se espera até lá acabar",
    ),
    (
        "what the model made of segment {} is no sound: its weights or this program are damaged; \
         partita model verify tells about the weights",
        "o que o modelo fez do segmento {} não é som: os pesos ou este programa estão danificados; \
         partita model verify diz algo sobre os pesos",
    ),
    (
        "the fast precision wants a processor that multiplies bf16 (AVX-512 BF16); this one does \
         not: choose the single precision",
        "a precisão rápida pede um processador que multiplica bf16 (AVX-512 BF16); este não \
         multiplica: escolha a precisão simples",
    ),
    (
        "this model needs {} MB of memory, and {} MB is the limit; raise it, in the settings or by \
         --memory",
        "este modelo precisa de {} MB de memória, e o limite é {} MB; aumente-o, nos ajustes ou com \
         --memory",
    ),
    ("the model {} has no network", "o modelo {} não tem rede"),
    (
        "made of a draft: standard and best sound better",
        "feito de um rascunho: as outras qualidades soam melhor",
    ),
    ("the worker has ended", "a separação parou; abra o programa de novo"),
    ("the network could not be run: {}", "a rede não pôde ser usada: {}"),
    // The model's file.
    (
        "{} may not be read by this user; change its permissions or its owner",
        "{} não pode ser lido por este usuário; mude as permissões ou o dono",
    ),
    (
        "the network was trained at {} Hz, {}; only {} Hz {} networks are supported yet",
        "a rede foi treinada a {} Hz, {}; por ora só há suporte a redes de {} Hz, {}",
    ),
    ("The model file {} cannot be used: {}", "O arquivo de modelo {} não pode ser usado: {}"),
    ("{} cannot be used: {}", "{} não pode ser usado: {}"),
    ("mono", "mono"),
    ("stereo", "estéreo"),
    ("the model is being installed already", "o modelo já está sendo instalado"),
    ("a model is being installed already", "um modelo já está sendo instalado"),
    ("Downloading", "Baixando"),
    ("Checking", "Conferindo"),
    ("Reading", "Lendo"),
    ("Writing", "Gravando"),
    ("Downloading from {}", "Baixando de {}"),
    ("Fetching {} with npm", "Buscando {} com npm"),
    ("Trying the next source: {}", "Tentando a próxima fonte: {}"),
    (
        "{} could not be installed. Tried: {}. Fetch one of these files elsewhere and import it",
        "{} não pôde ser instalado. Tentativas: {}. Baixe um destes arquivos de outro modo e importe",
    ),
    ("{} cannot be reached: {}", "{} não responde: {}"),
    ("{} is cut off", "{} está cortado"),
    ("{} is cut off: {}", "{} está cortado: {}"),
    ("{} is a folder, not a model file", "{} é uma pasta, não um arquivo de modelo"),
    ("{} is not a model file: it begins with {}", "{} não é um arquivo de modelo: começa com {}"),
    ("{} is not installed", "{} não está instalado"),
    (
        "{} is being installed already, by another window or command",
        "{} já está sendo instalado, por outra janela ou outro comando",
    ),
    // Files that are written.
    ("a file is there already: {}", "já há um arquivo: {}"),
    ("files are there already: {}", "já há arquivos: {}"),
    ("all files were there already", "todos os arquivos já existiam"),
    ("nothing is chosen to be exported", "não há nada escolhido para exportar"),
    (
        "the song is not separated to its end yet; process it first",
        "a música ainda não foi separada até o fim; processe-a primeiro",
    ),
    ("there is no stem {}, but {} stems", "não há stem {}, há {} stems"),
    ("two files would be written to {}", "dois arquivos seriam gravados em {}"),
    (
        "{} keeps {} bits; choose one of these, or WAV",
        "{} guarda {} bits; escolha um deles, ou WAV",
    ),
    (
        "{} is not there any more, or is another file now: what is made from the original at the \
         song's own rate needs it; put it back, or choose {} Hz",
        "{} não está mais lá, ou agora é outro arquivo: o que se faz do original na taxa da música \
         precisa dele; ponha-o de volta, ou escolha {} Hz",
    ),
    (
        "stems for DJs need drums, bass, other and vocals; this model has no {}",
        "stems para DJs precisam de bateria, baixo, outros e voz; este modelo não tem {}",
    ),
    ("the song's {} channels are folded down to stereo", "os {} canais foram reduzidos a estéreo"),
    (
        "the mix has {} LUFS: louder, its peaks would need the limiter",
        "a mixagem tem {} LUFS: mais alta, seus picos precisariam do limitador",
    ),
    (
        "the mix went through the limiter, and has {} LUFS",
        "a mixagem passou pelo limitador, e tem {} LUFS",
    ),
    (
        "the loudness of the mix cannot be measured: {}",
        "a sonoridade da mixagem não pôde ser medida: {}",
    ),
    ("a name is needed, such as {title} ({stem})", "falta um nome, como {title} ({stem})"),
    ("there is a brace without its pair", "há uma chave sem o par"),
    ("there is no {{}}, but {}", "não há {{}}, há {}"),
    // The sound device.
    ("this computer has no sound device", "este computador não tem dispositivo de som"),
    ("{} cannot be opened: {}", "{} não pôde ser aberto: {}"),
    (
        "{} takes no format this program can give",
        "{} não aceita nenhum formato que este programa tem",
    ),
    (
        "it still holds on to what was played last; try again",
        "ainda está preso ao que tocou por último; tente de novo",
    ),
    ("the player cannot start a thread: {}", "o som não pôde ser iniciado: {}"),
    ("the device's rate of {} Hz: {}", "a taxa do dispositivo, {} Hz: {}"),
    // Files that are dragged out.
    (
        "the program that they were dropped on did not take them",
        "o programa em que foram soltos não os aceitou",
    ),
];

const TRIPPED: &str = "{} fez o Partita tropeçar ({}); salve um relatório, nos ajustes ou com partita \
                       doctor --report, e envie";
const NO_HOME: &str = "o sistema não indica pasta de dados; indique uma em PARTITA_HOME";
const RATES: &str = "uma taxa de {} Hz não é aceita (de 1 a 768 kHz, sim)";

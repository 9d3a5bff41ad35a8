# As configurações, o cartão do modelo e as perguntas antes do que não pode ser desfeito.

settings-title = Configurações

## Janela

settings-language = Idioma
settings-system = Padrão do sistema
settings-theme = Tema
settings-light = Claro
settings-dark = Escuro
settings-zoom = Tamanho da interface
settings-output = Dispositivo de áudio
settings-output-note = Se ele não estiver conectado, vale o dispositivo padrão do sistema

## Processamento

settings-threads = Threads
settings-threads-all = Todas ({ NUMBER($count) })
settings-threads-note = Menos threads deixam o computador mais livre; tarefas em andamento se ajustam na hora
settings-memory = Memória
settings-memory-unlimited = Sem limite
settings-memory-least = O modelo precisa de pelo menos { $least }; perto disso, menos threads são usadas
settings-memory-unknown = O mínimo só é conhecido com o modelo instalado
settings-device = Calculado por
settings-device-auto = Automático
settings-device-processor = Processador
settings-device-note = O automático mede a placa de vídeo uma vez para cada modelo, e a usa se ela for correta e mais rápida
settings-precision = Precisão
settings-single = Simples
    .note = Precisão completa
settings-fast = Rápida
    .note = Mais rápida, com ruído cerca de 50 dB abaixo dos stems
settings-fast-missing = A rápida exige um processador com multiplicação em bf16, e este não tem
settings-by-flag = Definido na linha de comando para esta execução

## Modelos

settings-ticks = Músicas novas
settings-ticks-note = Os instrumentos marcados nas músicas recém-adicionadas
settings-ticks-later = Instale o modelo para escolher os instrumentos
settings-mirror = Espelho
settings-mirror-note = Endereço consultado antes dos sites originais dos modelos; só são usados arquivos com o hash correto
settings-models-note = Os stems de outros modelos ficam guardados até você apagá-los
settings-used = Usado em músicas novas
settings-use = Usar em músicas novas
settings-install = Instalar… ({ $size })
settings-accept = Aceitar e instalar
settings-verify = Verificar
settings-verified = Todos os arquivos estão íntegros
settings-remove-model = Remover
settings-stop = Parar
settings-not-installed = Não instalado, { $size }
settings-partly-installed = { NUMBER($installed) } de { NUMBER($all) } partes instaladas
settings-installed = Instalado, { $size }
settings-damaged = Danificado: { $reason }
settings-own-model = Seu próprio modelo
settings-other-model = Outro modelo
settings-about-default = Bom em tudo, de uma só vez
settings-about-specialists = Um especialista para cada stem: um pouco melhor, mas cada instrumento a mais aumenta o tempo
settings-about-six = Acrescenta guitarra e piano; o piano é fraco
settings-about-kim = Voz e instrumental, bem melhor que os outros, mas com cerca de 14 vezes mais processamento
settings-choose-file = Escolher um arquivo…

## Cadeias de redes

settings-chains = Suas cadeias
settings-chains-note = Uma cadeia separa em etapas: uma rede lê a música, ou um stem de uma etapa anterior
settings-new-chain = Nova cadeia…
settings-import-chain = Importar cadeia…
settings-edit-chain = Editar…
settings-copy-chain = Duplicar…
settings-chain-unusable = Nenhum modelo instalado serve
# $makes and $stems: kick, snare and toms
settings-chain-lacks = Precisa de um modelo que produza { $makes } (para { $stems })

## Dados

settings-home = Pasta de dados
settings-measuring = calculando…
settings-sizes = { $all }, sendo { $stems } de stems
settings-clear = Apagar os stems…
settings-reset = Apagar tudo…
settings-report = Salvar um relatório…
    .tooltip = Para relatar problemas: dados deste computador, configurações, medições e erros; sem caminhos nem nomes de músicas
settings-report-saved = Relatório salvo: { $path }

## Perguntas

question-reset = Apagar tudo?
question-reset-text = Isto remove { $what } da biblioteca e apaga todos os stems ({ $size }). Seus próprios arquivos, o modelo e as configurações são mantidos. Não é possível desfazer.
question-reset-go = Apagar tudo
question-clear = Apagar os stems de todas as músicas?
question-clear-text = Isto apaga { $size } de stems e cancela as tarefas que estão gerando outros. As músicas ficam na biblioteca e podem ser processadas de novo. Não é possível desfazer.
question-clear-go = Apagar os stems
question-keep = Cancelar

## Um arquivo que não diz tudo sobre sua rede

facts-title = { $kind }: o que o arquivo não informa
facts-text = { $file } não informa isto. O YAML de quem o publicou informa: coloque-o na mesma pasta, ou copie os valores dele. Um hop errado soa plausível, mas pior.
facts-hop = Hop, em frames
facts-chunk = Segmento, em frames ou segundos
facts-seconds = { $seconds } s
facts-stems = { $count ->
    [one] Nome do stem
   *[other] Nomes dos { $count } stems, separados por vírgulas
}
facts-rest = Nome do resto da música
facts-import = Importar
facts-running = Importando…
facts-lack-hop = Informe o hop
facts-wrong-hop = O hop deve ser um número inteiro de frames, como { $usual }
facts-lack-chunk = Informe o segmento
facts-wrong-chunk = O segmento deve estar em frames ou segundos, como { $usual } ou 8 s
facts-lack-name = Informe o nome do stem
facts-lack-names = { $count ->
    [one] É necessário { $count } nome; informados: { NUMBER($given) }
   *[other] São necessários { $count } nomes; informados: { NUMBER($given) }
}

## O cartão do modelo

model-failed = Não é possível usar o modelo
model-missing = O modelo ainda não está instalado
model-installing = Instalando o modelo

## O formulário de uma cadeia

editor-title = Cadeia de redes
editor-name = Nome
editor-about = Descrição
editor-steps = Etapas
editor-steps-note = Cada etapa aplica uma rede à música ou a um stem de uma etapa anterior
editor-stems = Stems
editor-stems-note = As partes de um stem somam o stem: o que elas deixam é o resto
editor-save = Salvar
editor-no-name = Dê um nome à cadeia
editor-taken-name = Um modelo, ou uma cadeia que vem com o Partita, tem este nome
# $number counts the steps or the stems.
editor-step = Etapa { NUMBER($number) }
editor-stem = Stem { NUMBER($number) }
# In the accessible names below, $item is Step 2, Stem 3, or an output of one.
editor-name-of = { $item }: nome
editor-up = Mover para cima: { $item }
editor-down = Mover para baixo: { $item }
editor-remove = Remover: { $item }
editor-network = { $item }: rede
editor-network-label = Rede
editor-any-network = Qualquer uma com…
editor-makes = { $item }: stems que a rede produz
editor-input = { $item }: entrada
editor-input-label = Separa
# The song as the input of a step, or as the whole of a stem.
editor-song = A música
editor-minus = { $item }: sem { $stem }
editor-minus-label = Sem
editor-add-step = Adicionar etapa
editor-whole = { $item }: parte de
editor-whole-label = Parte de
editor-source = { $item }: feito de
editor-source-label = Feito de
editor-from-steps = Saídas de etapas
editor-from-rest = O que sobra
editor-output = { $item }, saída { NUMBER($number) }
editor-output-hint = vocals
editor-step-of = { $item }: etapa
editor-weight = { $item }: peso
editor-weight-hint = peso
editor-add-output = Adicionar saída
editor-add-stem = Adicionar stem
# How several outputs become one stem, by samples or by spectrogram.
editor-combine = { $item }: combinação
editor-avg-wave = Média das amostras
editor-sum-wave = Soma das amostras
editor-median-wave = Mediana das amostras
editor-min-wave = Amostra mais fraca
editor-max-wave = Amostra mais forte
editor-avg-fft = Média dos espectros
editor-median-fft = Mediana dos espectros
editor-min-fft = Componente mais fraca dos espectros
editor-max-fft = Componente mais forte dos espectros

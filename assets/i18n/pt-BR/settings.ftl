# As configurações, o cartão do modelo e as perguntas antes do que não pode ser desfeito.

settings-title = Configurações

## Janela

settings-language = Idioma
settings-system = Padrão do sistema
settings-theme = Tema
settings-light = Claro
settings-dark = Escuro
settings-zoom = Tamanho da interface
settings-output = Dispositivo de som
settings-output-note = Enquanto ele está ausente, usa-se o dispositivo padrão do sistema

## Processamento

settings-threads = Threads
settings-threads-all = Todas ({ NUMBER($count) })
settings-threads-note = Menos threads deixam mais para outros programas; uma tarefa em andamento muda na hora
settings-memory = Memória
settings-memory-unlimited = Sem limite
settings-memory-least = O modelo precisa de pelo menos { $least }; perto disso, menos threads são usadas
settings-memory-unknown = O mínimo é conhecido depois que o modelo é instalado
settings-device = Calculado por
settings-device-auto = Automático
settings-device-processor = Processador
settings-device-note = O automático mede a placa de vídeo uma vez para cada modelo, e a usa se ela for correta e mais rápida
settings-precision = Precisão
settings-single = Simples
    .note = Precisão completa
settings-fast = Rápida
    .note = Mais rápida, com ruído cerca de 50 dB abaixo dos stems
settings-fast-missing = A rápida exige um processador que multiplique bf16, e este não faz isso
settings-by-flag = Definido na linha de comando para esta execução

## Modelos

settings-ticks = Músicas novas
settings-ticks-note = Os instrumentos marcados nas músicas recém-adicionadas
settings-ticks-later = Instale o modelo para escolher os instrumentos
settings-mirror = Espelho
settings-mirror-note = Endereço consultado antes dos editores dos modelos; só valem arquivos com o hash correto
settings-models-note = Os stems de outros modelos ficam até serem limpos
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
settings-about-specialists = Um especialista para cada stem: um pouco melhor, mas cada instrumento leva seu próprio tempo
settings-about-six = Acrescenta guitarra e piano; o piano é fraco
settings-about-kim = Vocais e instrumental, claramente melhor que os outros, com cerca de 14 vezes o trabalho
settings-choose-file = Escolher um arquivo…

## Dados

settings-home = Pasta de dados
settings-measuring = calculando…
settings-sizes = { $all }, sendo { $stems } de stems
settings-clear = Limpar os stems…
settings-reset = Apagar tudo…
settings-report = Salvar um relatório…
    .tooltip = Para relatar problemas: este computador, as configurações, medições e erros; sem caminhos nem nomes de músicas
settings-report-saved = Relatório salvo: { $path }

## Perguntas

question-reset = Apagar tudo?
question-reset-text = Isto remove { $what } da biblioteca e apaga todos os stems ({ $size }). Seus próprios arquivos, o modelo e as configurações são mantidos. Não é possível desfazer.
question-reset-go = Apagar tudo
question-clear = Limpar os stems de todas as músicas?
question-clear-text = Isto apaga { $size } de stems e cancela as tarefas que fazem outros. As músicas ficam na biblioteca e podem ser processadas de novo. Não é possível desfazer.
question-clear-go = Apagar os stems
question-keep = Cancelar

## Um arquivo que não diz tudo sobre sua rede

facts-title = { $kind }: o que o arquivo não diz
facts-text = { $file } não diz isto. O YAML de quem o publicou diz: ponha-o ao lado do arquivo, ou copie os valores dele. Um salto errado soa plausível, mas pior.
facts-hop = Salto, em quadros
facts-chunk = Segmento, em quadros ou segundos
facts-seconds = { $seconds } s
facts-stems = { $count ->
    [one] Nome do stem
   *[other] Nomes dos { $count } stems, separados por vírgulas
}
facts-rest = Nome do resto da música
facts-import = Importar
facts-running = Importando…
facts-lack-hop = Diga o salto
facts-wrong-hop = O salto é um número inteiro de quadros, como { $usual }
facts-lack-chunk = Diga o segmento
facts-wrong-chunk = O segmento é em quadros ou segundos, como { $usual } ou 8 s
facts-lack-name = Diga o nome do stem
facts-lack-names = { $count ->
    [one] É preciso { $count } nome, e há { NUMBER($given) }
   *[other] São precisos { $count } nomes, e há { NUMBER($given) }
}

## O cartão do modelo

model-failed = Não é possível usar o modelo
model-missing = O modelo ainda não está instalado
model-installing = Instalando o modelo

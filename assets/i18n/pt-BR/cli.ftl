# A linha de comando: resultados no terminal, progresso e perguntas. Os nomes de comandos e opções não
# mudam. Com --json tudo é em inglês.

## Músicas e tarefas

cli-no-songs = a biblioteca está vazia; adicione uma música com `partita add ARQUIVO`
cli-no-jobs = nenhuma tarefa; inicie uma com `partita process MÚSICA`
cli-not-processed = não processada
cli-no-progress = "{ $title }" ainda não foi processada; execute `partita process { $id }`
cli-job-done = concluída: { $stems }
cli-job-waiting = na fila, { $percent }
cli-job-running = em andamento, { $percent }
cli-job-paused = pausada em { $percent }
cli-job-failed = falhou: { $reason }
cli-job-cancelled = cancelada em { $percent }
cli-job-title = tarefa { $id }: { $title }
cli-job-model = modelo: { $model }
cli-job-stems = stems da tarefa: { $stems }
cli-job-state = situação: { $state }
cli-job-segments = segmentos: { NUMBER($done) } de { NUMBER($total) }
cli-job-computed = tempo de processamento: { $seconds } s

## Separar e gravar

cli-separating = separando { $stems }
cli-writing = salvando
cli-reading = lendo
cli-separating-song = separando
cli-time-left = faltam { $time }
cli-turned-down = { $song }: o volume de todos os arquivos foi reduzido em { $db } dB
cli-turned-up = { $song }: o volume de todos os arquivos foi aumentado em { $db } dB
cli-tracks-turned-down = o volume de todas as faixas foi reduzido em { $db } dB para evitar distorção
cli-ask-exists = [r] substituir, [n] numerar, [s] pular, [c] cancelar?
cli-cancelled = cancelado; { $file } não foi concluído
cli-mix-needed = --loudness e --limiter valem para a mix; acrescente --mix
cli-gain-unmixed = --gain { $stem } não tem efeito: a mix é dos stems escolhidos ({ $mixed }); retire a opção ou inclua { $stem } em --stems
cli-no-shifts = o modelo "{ $name }" não permite deslocamentos; retire --shifts
cli-overlap-range = o modelo "{ $name }" permite uma sobreposição de { $least } a { $most }; mude --overlap
cli-segment-length = o modelo "{ $name }" exige segmentos de { $seconds } s, como no seu treinamento; retire --segment
cli-model-not-installed = o modelo "{ $name }" não está instalado; `partita model list` lista os modelos, `partita model install { $name }` o instala
cli-output-failed = não foi possível escrever na saída padrão: { $error }; redirecione-a e execute o comando de novo
cli-engine-ended = o motor de processamento foi encerrado

## Acervos

cli-repeated-line = a linha { $line } repete a linha { $first }
cli-line = linha { $line }: { $text }
cli-manifest-exists = com um manifesto, --on-exists deve ser ask, que registra a música como falha, ou replace
cli-threads-given = { $count ->
    [one] { $count } thread (conforme pedido)
   *[other] { $count } threads (conforme pedido)
}
cli-threads-found = { $count ->
    [one] { $count } thread (origem: { $origin })
   *[other] { $count } threads (origem: { $origin })
}
cli-memory-given = { NUMBER($megabytes) } MB de memória (conforme pedido)
cli-memory-found = { NUMBER($megabytes) } MB de memória (origem: { $origin })
cli-memory-unlimited = memória sem limite
cli-elsewhere = { $song }: { $host } está trabalhando nela
cli-song-done = { $song }: concluída em { $seconds } s
cli-song-failed = linha { $line }: { $song }: { $reason }
cli-song-failed-for-now = linha { $line }: { $song }: { $reason } (pode dar certo mais tarde)
cli-share-ended = parte { $share }: prontas { NUMBER($done) } de { NUMBER($songs) } músicas (de antes: { NUMBER($skipped) }), falhas: { NUMBER($failed) }, falhas temporárias: { NUMBER($temporary) }, restantes: { NUMBER($left) }
cli-served = um servidor usa esta biblioteca; a página dele é { $url }
cli-no-window = não foi possível abrir a janela: { $cause }; a linha de comando faz o mesmo sem ela (`partita separate --help`)
cli-share-stopped = interrompida por { $reason }; execute de novo para continuar
cli-stop-signal = um sinal
cli-failures-listed = as falhas estão listadas em { $file }

## partita report

cli-report-songs = músicas: { NUMBER($songs) }; prontas: { NUMBER($done) }, falhas: { NUMBER($failed) }, falhas temporárias: { NUMBER($temporary) }, restantes: { NUMBER($remaining) }
cli-report-hours = { $done } de { $all } horas de música; arquivos: { NUMBER($files) }, { $size }
cli-report-speed = em andamento: { $times } × tempo real
cli-report-ends = as partes em andamento terminam em cerca de { $time }
cli-report-share = { $share }  { $state }  prontas { NUMBER($done) } de { NUMBER($songs) }, falhas: { NUMBER($failed) }, × { $times }  { $host }
cli-share-running = em andamento
cli-share-silent = sem resposta
cli-share-finished = encerrada
cli-share-interrupted = interrompida
cli-report-not-started = não iniciadas: { $shares }
cli-report-disagree = os nós leram durações diferentes, e alguma música pode ter ficado fora de todas as partes: coloque as durações no manifesto (`partita probe`)
cli-report-incomplete = incompleto: { $file }
cli-report-failed = falhou: { $file }: { $reason }

## partita reset

cli-reset-ask = Apagar { $songs } e { $jobs } com seus stems? Seus próprios arquivos são mantidos. [s/N]
cli-reset-yes = s sim
cli-reset-kept = nada foi apagado
cli-reset-confirm = isto apaga { $songs } e { $jobs } com seus stems; confirme com --yes
cli-reset-done = { $songs } e { $jobs } apagadas; seus próprios arquivos estão intactos

## partita model

cli-model-own = seu próprio modelo
cli-model-missing = não instalado
cli-model-installed = instalado ({ $size })
cli-model-damaged = danificado: { $reason }
cli-model-unusable = inutilizável: { $reason }
cli-model-removed = removido; os stems dele são mantidos
cli-model-cancelled = cancelado; nada foi instalado
cli-install-cancelled = cancelado; { $name } não foi instalado; execute o comando de novo para continuar o download
cli-no-model-installed = nenhum modelo está instalado; execute `partita model install`
cli-no-model = esta versão não conhece nenhum modelo
cli-model-correct = correto
cli-model-already = { $name } já está instalado
cli-model-numbered = outro modelo já se chama { $taken }; este foi instalado como { $name }
cli-model-bands = { $count ->
    [one] { $count } banda
   *[other] { $count } bandas
}
cli-model-stems = { $count ->
    [one] { $count } stem: { $names }
   *[other] { $count } stems: { $names }
}
cli-model-rest = o resto: { $name }
cli-model-segments = segmentos de { $seconds } s
cli-test-passed = aprovado: { $db } dB em relação ao PyTorch; o mínimo é { $least } dB
cli-test-failed = REPROVADO: { $db } dB em relação ao PyTorch; o mínimo é { $least } dB
cli-test-unknown = { $file }: não há resultados de referência para estes pesos
cli-step-of = { $step }: { $done } de { $total }
cli-step-done = { $step }: { $done } até agora

## partita doctor

cli-measuring = medindo por alguns segundos
cli-report-saved = relatório salvo: { $file }
cli-doctor-processor = processador: { $name }
cli-doctor-features = recursos: { $names }
cli-doctor-threads = número de threads: { NUMBER($count) }
cli-doctor-memory = memória: { $free } de { $all } livres
cli-doctor-sound = som: { $names }
cli-doctor-cards = placas de vídeo: { $names }
cli-doctor-no-cards = placas de vídeo: nenhuma
cli-doctor-card = { $device } ({ $name }; { $free } livres)
# $choice is what the user has chosen, such as auto.
cli-doctor-device = calculado por: { $device } (escolha: { $choice })
cli-doctor-device-taken = { $device } com { $model }: usado; a { $db } dB do processador (mínimo { $least } dB), { $seconds } s por segmento; o processador: { $processor } s
cli-doctor-device-not-taken = { $device } com { $model }: não usado; a { $db } dB do processador (mínimo { $least } dB), { $seconds } s por segmento; o processador: { $processor } s
cli-doctor-model = modelo: { $state }
cli-doctor-installed = { $model } está instalado ({ $stems })
cli-doctor-missing = { $model } não está instalado; veja `partita model install`
cli-doctor-speed = velocidade: { $seconds } s por segmento, { $times } × tempo real
cli-doctor-speed-unknown = velocidade: ainda não medida (doctor --measure)
cli-doctor-home = pasta de dados: { $folder } ({ $size }; { $free } livres no disco)
cli-none = nenhum

cli-needs = { $model }: cerca de { $time }, { $memory } de memória, { $disk } em disco
cli-needs-timeless = { $model }: { $memory } de memória, { $disk } em disco
cli-abandoned = o trabalho de uma execução anterior, interrompida antes do fim, foi removido; com --resume, o trabalho é guardado e a próxima execução continua dele
cli-chain-numbers = { $name } é uma cadeia de várias redes: use --quality em vez de --overlap, --shifts, --seed e --segment
cli-chain-unusable = nenhuma rede dela está instalada
cli-chain-rest = o que sobra
cli-chain-missing = { $name }: { $stems } precisam de um modelo que produza: { $makes }
cli-chain-is-a-file = as músicas da biblioteca guardam o nome da cadeia; importe antes o arquivo: `partita chain import { $file }`
cli-chain-lacks-model = { $name }: { $stems } precisam do modelo { $model }, que não está instalado

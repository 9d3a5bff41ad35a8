# A página das tarefas. Cada tarefa separa uma música.

job-title = Tarefas
job-none = Nenhuma tarefa ainda
    .hint = As músicas que você processa aparecem aqui, com seus resultados
job-clear-all = Limpar concluídas
    .tooltip = Remover da lista todas as tarefas concluídas; os stems são mantidos

## Situações

job-running = Em andamento, { $percent }
job-next = Próxima
job-waiting = { $count ->
    [one] Na fila, { $count } tarefa na frente
   *[other] Na fila, { $count } tarefas na frente
}
job-paused = Pausada em { $percent }
job-done = Concluída { $took }
job-done-before = Concluída
job-failed = Falhou: { $reason }
job-cancelled = Cancelada em { $percent }

## Botões de uma linha

job-button = { $action }: { $title }
job-pause = Pausar
job-continue = Continuar
job-cancel = Cancelar
job-retry = Tentar de novo
job-clear = Tirar da lista
job-files = Arquivos
    .tooltip = Mostrar os stems e a mix como arquivos
job-up = Mover para cima
job-down = Mover para baixo
job-move-hint = Arraste ou pressione Alt e uma seta

# A biblioteca, à esquerda da janela, e a janela sem música.

## Sem música

empty-title = Solte uma música para ouvir do que ela é feita
empty-line = Voz, bateria, baixo e o resto, separados neste computador
drop-to-add = { $count ->
    [one] Solte para adicionar o arquivo
   *[other] Solte para adicionar os arquivos
}
library-drop-here = Solte músicas ou pastas aqui
library-or-files = ou escolha arquivos…
library-or-folder = uma pasta…

## Busca e ordem

library-search = Buscar na biblioteca
library-search-hint = { $count ->
    [0] Buscar
    [one] Buscar em { $count } música
   *[other] Buscar em { $count } músicas
}
library-no-match = Nenhuma música com “{ $typed }”
library-sort = Ordenar
library-by-added = Adicionadas recentemente
library-by-title = Por título
library-by-artist = Por artista
library-by-length = Por duração
library-by-state = Por situação
library-reversed = Ordem inversa
library-unfold = Mostrar a biblioteca

## A linha de uma música

library-title-field = Título da música
library-missing = Sem arquivo
library-next = Próxima
library-waiting = Na fila
library-paused = Pausada
library-failed = Falhou
library-separated = Separada
library-has-warning = Com aviso
library-importing = Importando… { $percent }
library-processing = Processando, { $percent }
library-gone = { $path } não foi encontrado; os stems são mantidos. Se o arquivo mudou de lugar, adicione-o de novo a partir da nova pasta
library-reveal = Mostrar no gerenciador de arquivos
library-cancel-processing = Cancelar o processamento
library-remove = Remover da biblioteca

## Várias músicas de uma vez

library-selected = { $count ->
    [one] { $count } música selecionada
   *[other] { $count } músicas selecionadas
}
library-process-all = Processar
library-export-all = Exportar…
library-remove-all = Remover

## A linha das tarefas

library-jobs = Tarefas
library-jobs-none = nenhuma tarefa
library-jobs-waiting = { NUMBER($count) } na fila
library-jobs-running = { NUMBER($count) } em andamento
library-jobs-both = { NUMBER($running) } em andamento, { NUMBER($waiting) } na fila

# Ao redor dos painéis: a lista de atalhos, os avisos e as janelas que pedem um caminho.

## Atalhos

help-title = Atalhos
help-playback = Reprodução
help-lanes = Pistas
help-view = Visualização
help-songs = Músicas
help-window = Janela
help-space = Espaço
help-or = { $first } ou { $second }

## Avisos

notice-dismiss-all = Dispensar todos
notice-removed = “{ $title }” foi removida
notice-removed-many = { $count ->
    [one] { $count } música foi removida
   *[other] { $count } músicas foram removidas
}
notice-undo = Desfazer
notice-model-importing = Importando um modelo
notice-model-imported = Modelo { $model } importado: { $what }
notice-model-imported-bare = Modelo { $model } importado
notice-not-taken = o programa em que os arquivos foram soltos não os aceitou
notice-not-shown = não foi possível mostrar { $file }: { $program } falhou ({ $reason })

## Janelas que pedem um caminho

path-song = Caminho de uma música
path-song-folder = Caminho de uma pasta de músicas
path-weights = Caminho dos pesos do modelo
path-chain = Caminho de um arquivo de cadeia
path-export-folder = Caminho da pasta de exportação
path-report = Caminho do relatório
path-add = Adicionar
path-use = Usar
path-choose = Escolher
path-save = Salvar
path-note = Caminho completo; ~ é a sua pasta pessoal
path-add-songs = Adicionar músicas
path-add-folder = Adicionar uma pasta de músicas
path-weights-title = Pesos do modelo
path-chain-title = Cadeia de redes
path-export-title = Pasta de exportação
path-report-title = Salvar um relatório
path-report-file = relatorio-do-partita.txt
path-filter-audio = Áudio
path-filter-all = Todos os arquivos
path-filter-weights = Pesos
path-filter-chains = Cadeias

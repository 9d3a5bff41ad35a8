serve-unknown-song = nenhuma música tem o número { $id }; existem: { $known }
serve-not-processed = a música { $song } ainda não foi processada
serve-unknown-track = não há a faixa `{ $name }`; existem: { $known }
serve-unknown-thing = não há nada chamado `{ $id }` aqui
serve-unknown-address = não há nada neste endereço
serve-method = este endereço não aceita o método
serve-request = não foi possível ler o pedido: { $reason }
serve-not-json = o tipo de conteúdo deve ser application/json
serve-value = `{ $field }` deve ser { $accepted }
serve-field-needed = `{ $field }` vale para `{ $needed }`; envie esse campo também
serve-not-bytes = o tipo de conteúdo deve ser application/offset+octet-stream
serve-too-long = foram enviados mais bytes do que os { $announced } anunciados
serve-not-computed = esta parte ainda não foi separada
serve-range = o intervalo está fora do conteúdo
serve-too-large = o arquivo tem mais de { $most }, o limite do servidor
serve-no-room = o servidor tem pouco espaço para envios: { $needed } necessários, { $free } livres
serve-too-many-songs =
    { $most ->
        [one] a biblioteca está cheia: o servidor permite uma música
       *[other] a biblioteca está cheia: o servidor permite { $most } músicas
    }
serve-no-file = o pedido não contém nenhum arquivo
serve-offset = o envio continua no byte { $expected }
serve-upload-busy = outro pedido está enviando este arquivo
serve-protocol = o servidor aceita a versão 1.0.0 de tus
serve-token = a chave falta ou está errada; o servidor mostrou um link com ela quando a criou
serve-too-many-tries =
    { $seconds ->
        [one] chaves erradas demais; tente de novo em um segundo
       *[other] chaves erradas demais; tente de novo em { $seconds } segundos
    }
serve-host = `{ $host }` não é um nome deste servidor; inicie-o com --name { $host } para permiti-lo
serve-origin = páginas de outros sites não podem enviar pedidos
serve-confirmation = isto remove { $songs } e { $jobs }; envie `"confirm": "reset"`
serve-busy = o servidor está ocupado; tente de novo em breve
serve-slow = o pedido foi enviado devagar demais
serve-internal = o servidor tem um defeito; o registro tem os detalhes
serve-none = nenhum

serve-new-token = este link abre o servidor para os seus aparelhos; ele só é mostrado desta vez
serve-old-token = a chave de um início anterior vale; --new-token cria outra
serve-in-use = uma janela ou outro servidor usa esta biblioteca; feche-o, ou indique outra pasta em PARTITA_HOME
serve-address = não foi possível escutar em { $address }: { $cause }
serve-no-pem = { $path } não contém certificado nem chave em PEM
serve-tls = não foi possível usar o certificado e a chave: { $cause }
serve-expected-name = esperava-se um nome como music.example.org, sem porta

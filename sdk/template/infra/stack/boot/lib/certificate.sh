# shellcheck shell=sh
# Keys are made on the node and never leave it; certificates come from Magnum,
# which is asked as the cluster's trustee. What is secret goes through files of
# root. $certs, which a later file sets, is where keys and certificates lie.

# login: comes before the others, in the same step.
login() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/magnum.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # shellcheck disable=SC2154 # certs: see above
    mkdir -p "$certs"
    retry 30 10 token
}

token() {
    cat >"$work/login.json" <<END
{"auth": {"identity": {"methods": ["password"], "password": {"user": {
  "id": "$(param trustee_user_id | json)", "password": "$(param trustee_password | json)"}}}}}
END
    cat >"$work/login.conf" <<END
url = "$(param auth_url)/auth/tokens?nocatalog"
request = "POST"
header = "Content-Type: application/json"
data-binary = "@$work/login.json"
dump-header = "$work/headers"
output = "/dev/null"
END
    http "$work/login.conf" || return 1
    token=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: *//p')
    [ -n "$token" ]
}

# magnum URL [BODY]: a request to Magnum; the answer's certificate is printed.
magnum() {
    cat >"$work/magnum.conf" <<END
url = "$1"
header = "X-Auth-Token: $token"
header = "OpenStack-API-Version: container-infra latest"
header = "Content-Type: application/json"
output = "$work/answer"
END
    if [ -n "${2:-}" ]; then
        echo "data-binary = \"@$2\"" >>"$work/magnum.conf"
    fi
    rm -f "$work/answer"
    http "$work/magnum.conf" || return 1
    pem=$(sed -n 's/.*"pem": *"\([^"]*\)".*/\1/p' "$work/answer")
    [ -n "$pem" ] || return 1
    printf '%b\n' "$pem"
}

# answered FILE COMMAND...: its output, once it has any, so that an answer cut
# short never lies there as a certificate.
answered() {
    file=$1
    shift
    "$@" >"$work/out" && mv "$work/out" "$file"
}

# authority FILE [TYPE]: a CA's certificate.
authority() {
    retry 30 10 answered "$certs/$1" \
        magnum "$(param magnum_url)/certificates/$(param cluster_uuid)${2:+?ca_cert_type=$2}"
}

# certificate FILE TYPE CN O SAN: a key and a certificate for it.
certificate() {
    cat >"$work/csr.conf" <<END
[req]
prompt = no
distinguished_name = who
req_extensions = what
[who]
CN = $3
${4:+O = $4}
[what]
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = clientAuth, serverAuth
${5:+subjectAltName = $5}
END
    openssl req -new -newkey rsa:2048 -nodes -config "$work/csr.conf" \
        -keyout "$certs/$1.key" -out "$work/csr.pem" 2>"$work/openssl.log" ||
        { cat "$work/openssl.log" >&2; return 1; }
    kind=
    if [ -n "$2" ]; then
        kind=", \"ca_cert_type\": \"$2\""
    fi
    printf '{"cluster_uuid": "%s", "csr": "%s"%s}' "$(param cluster_uuid)" \
        "$(awk '{printf "%s\\n", $0}' "$work/csr.pem")" "$kind" >"$work/body.json"
    retry 30 10 answered "$certs/$1.crt" \
        magnum "$(param magnum_url)/certificates" "$work/body.json"
}

# names PREFIX VALUE...: subject alternative names, without empty and double ones.
names() {
    prefix=$1
    shift
    for one in "$@"; do
        if [ -n "$one" ]; then
            echo "$prefix:$one"
        fi
    done
}
join() {
    sort -u | paste -sd , -
}

# shellcheck shell=bash
# Sourced by scripts/test after environment.sh: a real Elasticsearch for the tests, fetched once a machine.
# It comes from Maven Central as it is published for integration tests, and lies in a cache outside the checkout:
# root's in /var/cache/hysds-test, where everybody may read it, anybody else's in ~/.cache/hysds-test.
# The server refuses to run as root: root's runs as the system user hysds-test (test/services/elasticsearch.py).

elasticsearch_version=8.19.21
elasticsearch_sha256=215d5f3dbf0609a149f6218a9e47b6ae2df34ebbff3c5754e35f15a5e5393c8a
elasticsearch_user=hysds-test

# Where this user's own would lie.
elasticsearch_cache() {
    if [ "$(id -u)" -eq 0 ]; then echo /var/cache/hysds-test; return; fi
    echo "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/hysds-test"
}

elasticsearch_is_there() {
    local cache
    if [ "$(id -u)" -eq 0 ] && ! id "$elasticsearch_user" >/dev/null 2>&1; then return 1; fi
    for cache in "$(elasticsearch_cache)" /var/cache/hysds-test; do
        if [ -d "$cache/elasticsearch-$elasticsearch_version" ]; then return; fi
    done
    return 1
}

# Make what is missing; says why it could not, and fails.
install_elasticsearch() {
    local cache
    cache=$(elasticsearch_cache)
    if [ "$(id -u)" -eq 0 ] && ! id "$elasticsearch_user" >/dev/null 2>&1; then
        /usr/sbin/useradd --system --user-group --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin "$elasticsearch_user" || return
    fi
    if ! mkdir -p "$cache"; then return 1; fi
    # Of two runs at once the second waits, and finds it made.
    (
        flock 9
        umask 022
        if [ ! -d "$cache/elasticsearch-$elasticsearch_version" ]; then make_elasticsearch "$cache"; fi
    ) 9>"$cache/lock"
}

# Fetch, check and unpack it in a directory beside, then move it to its place whole: no run leaves half a server.
make_elasticsearch() {
    local name=elasticsearch-$elasticsearch_version making
    if ! command -v mvn >/dev/null || ! command -v unzip >/dev/null; then
        echo "Elasticsearch is fetched with mvn and unzip; ask for them: apt-get install maven unzip" >&2
        return 1
    fi
    echo "fetching Elasticsearch $elasticsearch_version" >&2
    rm -rf "$1"/making.*
    making=$(mktemp -d "$1/making.XXXXXX") &&
        mvn -q -B -C -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
            -Dartifact="org.elasticsearch.distribution.integ-test-zip:elasticsearch:$elasticsearch_version:zip" \
            -DoutputDirectory="$making" >&2 &&
        echo "$elasticsearch_sha256  $making/$name.zip" | sha256sum --quiet --strict --check >&2 &&
        unzip -q "$making/$name.zip" -d "$making" &&
        chmod -R a+rX,go-w "$making/$name" &&
        mv "$making/$name" "$1/$name" &&
        rm -r "$making"
}

# netdash as a container that works on its host's network namespaces.
#
#   docker build --build-arg VERSION=$(git describe --tags --always) -t netdash .
#   docker run --rm --name netdash --network host \
#     --cap-add NET_ADMIN --cap-add SYS_ADMIN --cap-add NET_RAW \
#     --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#     -v /run/netns:/run/netns:rshared -v netdash:/var/lib/netdash netdash
#
# Why each of these:
#   --network host                      what netdash calls host is the machine, and the page is on 127.0.0.1:8080
#   NET_ADMIN                           links, addresses, routes, bridges, in every namespace
#   SYS_ADMIN                           unshare, setns, and the bind mounts under /run/netns
#   NET_RAW                             ping
#   apparmor=unconfined                 Docker's default profile forbids mounting, whatever the capabilities
#   systempaths=unconfined              otherwise /proc/sys is read-only, and a namespace's IPv6 cannot be switched
#   /run/netns:/run/netns:rshared       a namespace made here is one for `ip netns` there, and the other way round.
#                                       It must be a shared mount there; under systemd it is once it exists:
#                                       mkdir -p /run/netns
#
# `make docker-check` runs these steps without an engine.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make static VERSION="$VERSION"

FROM debian:bookworm-slim
# These print a namespace's firewall; all else netdash asks the kernel itself.
RUN apt-get update \
 && apt-get install -y --no-install-recommends nftables iptables \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/bin/netdash /usr/local/bin/netdash
VOLUME /var/lib/netdash
EXPOSE 8080
ENTRYPOINT ["netdash"]
CMD ["serve"]

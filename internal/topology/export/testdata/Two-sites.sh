#!/bin/sh
# Two sites
#
# Builds this lab of network namespaces with iproute2, and takes it down again:
#
#	sudo sh Two-sites.sh         build it
#	sudo sh Two-sites.sh down    take it down
#	sudo sh -x Two-sites.sh      build it, showing each command
#
# It does nothing if one of the lab's names is taken. It stops at the first
# command that fails, and takes down what it had built. Commands without -n are
# about the namespace it is run in.
set -eu

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# Fails if a name of the lab is taken: already, or still.
free() {
	for name in A router B site2; do
		if [ -e "/run/netns/$name" ]; then fail "there is $1 a namespace $name"; fi
	done
	for name in br0 p1 p2 uplink; do
		if ip link show dev "$name" >/dev/null 2>&1; then fail "there is $1 a link $name"; fi
	done
	:
}

# Builds the lab.
up() {
	# Namespaces: each has links, addresses and routes of its own.
	ip netns add A
	ip netns add router
	ip netns add B
	ip netns add site2

	# Bridges: switches made of software.
	ip link add br0 type bridge
	ip -n site2 link add br0 type bridge stp_state 1

	# Veth pairs: cables with two ends, each made where it belongs.
	ip link add p1 type veth peer name eth0 address 02:00:00:00:00:0a netns A
	ip link add p2 type veth peer name lan netns router
	ip -n router link add wan mtu 1400 type veth peer name p1 mtu 1400 netns site2
	ip -n B link add eth0 type veth peer name p2 netns site2
	ip link add uplink type veth peer name spare netns A

	# Settings.
	ip -n A link set dev spare alias 'not yet'

	# Ports, plugged into their bridges; and where no link-local IPv6 address is needed, none.
	ip link set dev p1 addrgenmode none
	ip link set dev p1 master br0
	ip link set dev p2 addrgenmode none
	ip link set dev p2 master br0
	ip -n site2 link set dev p1 addrgenmode none
	ip -n site2 link set dev p1 master br0
	ip -n site2 link set dev p2 addrgenmode none
	ip -n site2 link set dev p2 master br0
	ip -n site2 link set dev p2 type bridge_slave hairpin on

	# Addresses.
	ip -n B address add 10.9.9.9/32 dev lo
	ip address add 10.1.0.100/24 dev br0
	ip -n A address add 10.1.0.1/24 dev eth0
	ip -n A address add 2001:db8:1::1/64 dev eth0
	ip -n router address add 10.1.0.254/24 dev lan
	ip -n router address add 10.2.0.254/24 dev wan
	ip -n B address add 10.2.0.2/24 dev eth0
	ip address add 10.3.0.1/24 dev uplink

	# Up: until then a link carries nothing.
	ip -n A link set dev lo up
	ip -n router link set dev lo up
	ip -n B link set dev lo up
	ip -n site2 link set dev lo up
	ip -n A link set dev eth0 up
	ip -n router link set dev lan up
	ip -n router link set dev wan up
	ip -n B link set dev eth0 up
	ip link set dev uplink up
	ip link set dev p1 up
	ip link set dev p2 up
	ip -n site2 link set dev p1 up
	ip -n site2 link set dev p2 up
	ip link set dev br0 up
	ip -n site2 link set dev br0 up

	# Routes: where to send what is for another network.
	ip -n A route add default via 10.1.0.254 dev eth0
	ip -n B route add 10.1.0.0/24 via 10.2.0.254 dev eth0 metric 10
	ip route add 10.2.0.0/24 via 10.1.0.254 dev br0

	# Static entries in the bridges' MAC tables.
	bridge fdb add 02:00:00:00:00:09 dev p1 master static
	:
}

# Takes the lab down, going on over what is gone already.
down() {
	set +e
	# Links. The other end of a veth pair goes with the one that is deleted.
	ip link delete dev br0
	ip -n A link delete dev eth0
	ip link delete dev p2
	ip -n A link delete dev spare

	# Namespaces, with everything in them.
	ip netns delete B
	ip netns delete A
	ip netns delete router
	ip netns delete site2
	set -e
}

# Runs at the end of a build that did not get there.
undo() {
	status=$?
	trap - EXIT
	echo 'failed: taking down what was built' >&2
	down 2>/dev/null
	exit "$status"
}

[ "$(id -u)" = 0 ] || fail 'only root can do this: try sudo'
for tool in ip bridge; do
	command -v "$tool" >/dev/null || fail "there is no command $tool: install iproute2"
done

case ${1-up} in
up)
	free already
	trap undo EXIT
	trap 'exit 1' HUP INT TERM
	up
	trap - EXIT
	;;
down)
	down
	free still
	;;
*)
	fail "usage: sh $0 [up | down]"
	;;
esac

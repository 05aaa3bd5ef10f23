// Package netops is the kernel: the only package that speaks netlink, enters a
// network namespace or opens a socket in one.
//
// # Namespaces
//
// A namespace is known by the device and inode of its nsfs file. Kernel keeps
// one space for each that has been asked for: an open nsfs file and, once
// needed, one NETLINK_ROUTE socket. A netlink socket belongs for life to the
// namespace it was opened in and works from any thread, so entering a
// namespace (Do) is needed only to open sockets, never to use them.
//
// Both the file and the socket keep the namespace alive in the kernel, with
// every link in it. Spaces are therefore counted while in use and closed as
// soon as nobody else is seen to hold the namespace: forget. Who else does is
// what discovery looks for: names, mounts, processes.
//
// # Requests
//
// Apply performs a topology.Change as one netlink request wherever the kernel
// can do it in one, and the same request that iproute2 sends for the Change's
// command. What the kernel answers becomes a *topology.Error in errno.go.
package netops

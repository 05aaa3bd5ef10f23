// Package inhabitants tells who lives in a network namespace: processes, as
// /proc lists them, and the containers these belong to, by their cgroup and by
// what container engines say.
//
// It only reads, needs no engine to be there, and enters no namespace. Whether a
// namespace is watched because of what it finds is for netops to decide.
package inhabitants

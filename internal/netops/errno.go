package netops

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// This file is the one place where errno and the errors of libraries become
// *topology.Error.

const privilegeHint = "netdash needs CAP_NET_ADMIN and, to make and enter namespaces, CAP_SYS_ADMIN"

// meaning is what an errno stands for.
type meaning struct {
	code   topology.Code
	detail string
	hint   string
}

// refusal says what the kernel meant: it turns an error about subject into a
// *topology.Error with the cause wrapped. No error stays none; a
// *topology.Error keeps what it says and gets the subject if it has none.
func refusal(subject string, err error) error {
	return refuse(subject, err, general)
}

// refusedChange is refusal for a Change, where an errno can mean something
// more exact.
func refusedChange(c topology.Change, err error) error {
	return refuse(c.Subject(), err, func(errno unix.Errno) meaning {
		if m := ofChange(c, errno); m.code != "" {
			return m
		}
		return general(errno)
	})
}

func refuse(subject string, err error, mean func(unix.Errno) meaning) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*topology.Error](err); ok {
		if e.Subject == "" {
			e.Subject = subject
		}
		return err
	}
	m := meaning{code: topology.CodeInternal, detail: "failed"}
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		m = mean(errno)
		if words := kernelWords(err, errno); words != "" {
			m.detail += " (the kernel: " + words + ")"
		}
	}
	if errors.Is(err, errNoNamespace) {
		m = meaning{topology.CodeConflict, errNoNamespace.Error(), "remove it with ip netns delete"}
	}
	return &topology.Error{Code: m.code, Subject: subject, Detail: m.detail, Hint: m.hint, Err: err}
}

// general is what an errno means whatever was asked for.
func general(errno unix.Errno) meaning {
	switch errno {
	case unix.EEXIST:
		return meaning{topology.CodeConflict, "it exists already", ""}
	case unix.ENOENT, unix.ENODEV, unix.ENXIO, unix.ESRCH:
		return meaning{topology.CodeNotFound, "there is no such thing", ""}
	case unix.EPERM, unix.EACCES:
		return meaning{topology.CodeForbidden, "the kernel does not permit it", privilegeHint}
	case unix.EROFS:
		return meaning{topology.CodeForbidden, "the directory of namespace names is on a read-only file system", ""}
	case unix.EOPNOTSUPP, unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT:
		return meaning{topology.CodeUnsupported, "this kernel does not support it", ""}
	case unix.EINVAL, unix.ERANGE, unix.E2BIG, unix.ENAMETOOLONG:
		return meaning{topology.CodeInvalid, "the kernel does not accept it", ""}
	case unix.EADDRNOTAVAIL:
		return meaning{topology.CodeInvalid, "the address cannot be used", ""}
	case unix.ENETDOWN, unix.ENOTCONN:
		return meaning{topology.CodeConflict, "the link is down", "set it up first"}
	case unix.ENETUNREACH, unix.EHOSTUNREACH:
		return meaning{topology.CodeInvalid, "it cannot be reached from there", ""}
	case unix.EXFULL:
		return meaning{topology.CodeConflict, "the bridge is full: it has 1023 ports", "use a second bridge"}
	case unix.ENOSPC:
		return meaning{topology.CodeConflict, "the kernel's limit on network namespaces, or the disk's space, is used up", "see /proc/sys/user/max_net_namespaces"}
	case unix.EMFILE:
		return meaning{topology.CodeIncomplete, "netdash has as many files open as it may", RaiseHint}
	case unix.ENFILE:
		return meaning{topology.CodeIncomplete, "the machine has as many files open as it may", "see fs.file-max"}
	case unix.EBUSY:
		return meaning{topology.CodeBusy, "it is in use", ""}
	case unix.EAGAIN:
		return meaning{topology.CodeBusy, "the kernel has not answered within " + answerTimeout.String(), "it may be taking other namespaces down; try again"}
	}
	return meaning{topology.CodeInternal, "the kernel refused", ""}
}

// ofChange is what an errno means as the answer to a Change; a zero meaning
// where it means nothing particular.
func ofChange(c topology.Change, errno unix.Errno) meaning {
	none := func(what string) meaning { return meaning{topology.CodeNotFound, "there is no such " + what, ""} }
	twice := func(what string) meaning { return meaning{topology.CodeConflict, "there is already " + what, ""} }
	switch c := c.(type) {
	case topology.CreateNamespace:
		if errno == unix.EEXIST {
			return twice("a namespace, or a file, of this name")
		}
	case topology.DeleteNamespace:
		if errno == unix.ENOENT {
			return none("namespace")
		}
	case topology.CreateBridge, topology.CreateVeth, topology.Rename, topology.Move:
		switch {
		case errno == unix.EEXIST:
			return twice("a link of this name")
		case errno == unix.EOPNOTSUPP:
			return creation(c)
		case errno == unix.EBUSY:
			return meaning{topology.CodeBusy, "the link is up", "kernels before 6.2 rename a link only while it is down"}
		}
	case topology.SetMaster:
		switch errno {
		case unix.ELOOP:
			return meaning{topology.CodeInvalid, "a bridge cannot be a port of " + c.Master, ""}
		case unix.EINVAL, unix.EOPNOTSUPP:
			return meaning{topology.CodeInvalid, "this link cannot be a port of a bridge", ""}
		}
	case topology.SetPort:
		if errno == unix.EOPNOTSUPP || errno == unix.EINVAL {
			return meaning{topology.CodeConflict, "it is no port of a bridge, or a setting is not accepted", "give it a master first"}
		}
	case topology.SetAddressGeneration:
		if errno == unix.EAFNOSUPPORT || errno == unix.EOPNOTSUPP || errno == unix.EINVAL {
			return meaning{topology.CodeUnsupported, "the link has no IPv6", "its MTU may be below 1280, or the kernel lacks ipv6"}
		}
	case topology.AddAddress:
		switch errno {
		case unix.EEXIST:
			return twice("this address")
		case unix.EACCES: // what IPv6 says while disable_ipv6 is set
			return meaning{topology.CodeConflict, "IPv6 is switched off on this link", "see net.ipv6.conf.*.disable_ipv6"}
		}
	case topology.DeleteAddress:
		if errno == unix.EADDRNOTAVAIL {
			return none("address on this link")
		}
	case topology.AddRoute:
		switch errno {
		case unix.EEXIST:
			return twice("a route to this destination with this metric")
		case unix.ENETUNREACH, unix.EHOSTUNREACH:
			return meaning{topology.CodeInvalid, "the gateway is not reachable", "a link that is up needs an address in the gateway's network"}
		}
	case topology.DeleteRoute:
		if errno == unix.ESRCH || errno == unix.ENOENT {
			return none("route")
		}
	case topology.AddFDB:
		if errno == unix.EEXIST {
			return twice("an entry for this MAC address")
		}
	case topology.DeleteFDB:
		if errno == unix.ENOENT {
			return none("entry in the MAC table")
		}
	case topology.DeleteNeighbour, topology.SetSysctl, topology.DeleteRule, topology.SetPolicy:
		if errno == unix.ENOENT {
			return none("entry, setting or rule")
		}
	}
	return meaning{}
}

func creation(c topology.Change) meaning {
	m := meaning{code: topology.CodeUnsupported}
	switch c.(type) {
	case topology.CreateBridge:
		m.detail = lacks(topology.FeatureBridge)
	case topology.CreateVeth:
		m.detail = lacks(topology.FeatureVeth)
	default:
		m.detail = "the link does not support it"
	}
	return m
}

// linkError says which link is missing, where the kernel only says that one is.
func linkError(name string, err error) error {
	if errors.Is(err, unix.ENODEV) {
		return &topology.Error{Code: topology.CodeNotFound, Detail: "there is no link " + name, Err: err}
	}
	return err
}

// unsupported is the refusal of what needs a kernel feature that is missing.
func unsupported(feature string) error {
	return topology.Errorf(topology.CodeUnsupported, "", "%s", lacks(feature))
}

func lacks(feature string) string { return "this kernel lacks " + feature }

// kernelWords finds the extended acknowledgement in an error, which the netlink
// library writes behind the errno's own text.
func kernelWords(err error, errno unix.Errno) string {
	for ; err != nil; err = errors.Unwrap(err) {
		if words, ok := strings.CutPrefix(err.Error(), errno.Error()+": "); ok {
			return strings.TrimSuffix(words, ".")
		}
	}
	return ""
}

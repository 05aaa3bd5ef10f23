package topology

// MaxProcesses is how many processes of a namespace are listed.
const MaxProcesses = 32

// Inhabitants is who lives in a namespace.
type Inhabitants struct {
	Processes    []Process  `json:"processes,omitempty" doc:"Processes in the namespace by pid, the first 32; none are listed for host."`
	ProcessCount int        `json:"process_count,omitempty" doc:"How many processes are in the namespace."`
	Container    *Container `json:"container,omitempty" doc:"The container its first process in one belongs to."`
}

// Process is a process that lives in a namespace.
type Process struct {
	PID  int    `json:"pid" doc:"As netdash sees it, in its own pid namespace."`
	Name string `json:"name" doc:"What the kernel calls it (comm): up to 15 bytes, and it can change it."`
}

// Container is what a container engine has made. What is not known is empty.
type Container struct {
	ID     string `json:"id" doc:"The engine's; of a systemd or LXC machine its name."`
	Name   string `json:"name,omitempty" doc:"As the engine says, if it does; of a pod's sandbox the pod's."`
	Engine string `json:"engine,omitempty" doc:"docker, podman, containerd, cri-o, kubernetes (one of the latter two), lxc, systemd-nspawn."`
	Image  string `json:"image,omitempty"`
}

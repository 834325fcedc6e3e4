package export

import (
	"container/heap"
	"fmt"
	"maps"
)

// sortNodes puts the nodes of p in topological order. Among the nodes that are ready, the first of the file comes
// first, so sorted files stay as they are.
func sortNodes(p *graphProto) ([]*nodeProto, error) {
	producer := map[string]int{}
	for i, n := range p.nodes {
		for _, name := range n.out {
			if name != "" {
				producer[name] = i
			}
		}
	}
	users := make([][]int, len(p.nodes))
	missing := make([]int, len(p.nodes))
	for i, n := range p.nodes {
		needs := map[string]bool{}
		n.free(needs)
		for _, name := range sortedKeys(needs) {
			if from, ok := producer[name]; ok {
				users[from] = append(users[from], i)
				missing[i]++
			}
		}
	}
	ready := &intHeap{}
	for i, m := range missing {
		if m == 0 {
			*ready = append(*ready, i) // ascending, hence a heap
		}
	}
	out := make([]*nodeProto, 0, len(p.nodes))
	for ready.Len() > 0 {
		i := heap.Pop(ready).(int)
		out = append(out, p.nodes[i])
		for _, user := range users[i] {
			if missing[user]--; missing[user] == 0 {
				heap.Push(ready, user)
			}
		}
	}
	for i, m := range missing {
		if m > 0 {
			return nil, fmt.Errorf("%s: its inputs depend on its outputs", p.nodes[i].title())
		}
	}
	return out, nil
}

// free adds the names that n takes from the graph around it: its inputs and what its nested graphs do not define.
func (n *nodeProto) free(needs map[string]bool) {
	for _, name := range n.in {
		needs[name] = true
	}
	for _, value := range n.attrs {
		sub, ok := value.(*graphProto)
		if !ok {
			continue
		}
		inner := map[string]bool{}
		for _, n := range sub.nodes {
			n.free(inner)
		}
		for _, v := range sub.outputs {
			inner[v.name] = true
		}
		for _, v := range sub.inputs {
			delete(inner, v.name)
		}
		for _, v := range sub.initializers {
			delete(inner, v.name)
		}
		for _, n := range sub.nodes {
			for _, name := range n.out {
				delete(inner, name)
			}
		}
		maps.Copy(needs, inner)
	}
}

type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

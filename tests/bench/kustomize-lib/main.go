// SPDX-License-Identifier: Apache-2.0

// Times sigs.k8s.io/kustomize/api in one warm process: the median of 20 builds after one warm-up.
// Prints one line a folder: folder, milliseconds, bytes.
package main

import (
	"fmt"
	"os"
	"sort"
	"time"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const runs = 20

func build(folder string) (time.Duration, int, error) {
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone
	options.Reorder = krusty.ReorderOptionLegacy
	start := time.Now()
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return 0, 0, err
	}
	text, err := resources.AsYaml()
	return time.Since(start), len(text), err
}

func main() {
	for _, folder := range os.Args[1:] {
		if _, _, err := build(folder); err != nil {
			fmt.Fprintln(os.Stderr, folder, err)
			continue
		}
		var times []time.Duration
		bytes := 0
		for i := 0; i < runs; i++ {
			took, n, err := build(folder)
			if err != nil {
				fmt.Fprintln(os.Stderr, folder, err)
				os.Exit(1)
			}
			times = append(times, took)
			bytes = n
		}
		sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
		fmt.Printf("%s %.3f %d\n", folder, float64(times[runs/2].Microseconds())/1000, bytes)
	}
}

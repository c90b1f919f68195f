// Command duplicates looks for what two drivers have twice: a run of more than
// twelve equal lines belongs to the sdk. Its arguments are the drivers' folders.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "duplicates: give the folders of two drivers or more")
		os.Exit(2)
	}
	found, err := compare(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "duplicates:", err)
		os.Exit(2)
	}
	for _, r := range found {
		fmt.Println(r)
	}
	if len(found) > 0 {
		fmt.Println("what two drivers have belongs to the sdk; see docs/drivers/shared.md")
		os.Exit(1)
	}
}

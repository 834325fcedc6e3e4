// Command rnas finds, trains, compiles and measures image classifiers that are accurate and robust. See rnas help.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

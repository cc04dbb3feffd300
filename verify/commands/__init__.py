"""What a user types.

run                          run, show
scenarios                    check, new, lock, export, schema
experiments                  faults, bench, campaign, merge
options  terminal  schemas   shared options; output; JSON Schemas
"""

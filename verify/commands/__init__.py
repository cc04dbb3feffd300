"""What a user types.

run                          run, show
scenarios                    check, new, lock, export, schema
gradcheck                    any function's backward pass
experiments                  faults, bench, campaign, merge
options  terminal  schemas   shared options; output; JSON Schemas
"""

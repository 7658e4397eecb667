"""One module of methods per question; table in, frozen result out."""

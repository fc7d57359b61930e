"""The words for every choice of a protocol, each written down once.

A choice is called by its label in tables, captions and checklists, and told by a phrase in the
Methods. The modules stand for the blocks of a protocol; a choice without its words stops their
import with a sentence that says where to add them.
"""
